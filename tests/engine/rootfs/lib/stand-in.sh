# Sourced by the stand-ins for build tools. They do no work; they tell, in a log that all builds
# write to, when they begin and end, and they stay for the others for a while. So whether two of
# them can be at it at the same time is decided by the mounts and not by luck.
#
# EXPECT is how many builds run side by side, PATIENCE how long to stay for the others, in tenths
# of a second.
. /etc/meeting

say() {
    echo "$*" >>/events/log
}

# stay_for WHAT STEP TENTHS: until EXPECT builds have said "WHAT STEP ...", but no longer than that.
stay_for() {
    polls=$(($3 * 2))
    while [ "$polls" -gt 0 ] && [ "$(grep -c "^$1 $2 " /events/log)" -lt "$EXPECT" ]; do
        usleep 50000
        polls=$((polls - 1))
    done
}

# begin STEP NAME
begin() {
    say begin "$1" "$2"
    stay_for begin "$1" "$PATIENCE"
}

# end STEP NAME
end() {
    say end "$1" "$2"
}
