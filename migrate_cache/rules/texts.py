"""Paragraphs that the explanations of several rules have in common."""

SHARED_BUILDERS = """
Ids are the builder's, not the repository's. Where several repositories build on one builder,
another one that still uses the same ids decides with you. There are three ways out:

* migrate those repositories together
* give each repository a namespace of its own with
`--build-arg BUILDKIT_CACHE_MOUNT_NS=NAME`, which needs no change in any Dockerfile
* run `migrate-cache --fresh-ids`, which also gives every cache whose mode changes an id of its
own, at the price of one cold start
"""
