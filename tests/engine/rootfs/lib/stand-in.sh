# Sourced by the stand-ins for build tools. They do no work; they tell, where all builds tell it,
# when they begin and end, and they stay for the others for a while. So whether two of them can be
# at it at the same time is decided by the mounts and not by luck.
#
# EXPECT is how many builds take a step side by side, PATIENCE how long one stays for the others,
# in tenths of a second. They tell it in a cache that all of them mount, or, where MEETING is set,
# to the test itself, which then makes them stay.
. /etc/meeting

# say WHAT STEP NAME
say() {
    if [ -n "$MEETING" ]; then
        wget -q -O /dev/null "$MEETING/$1/$2/$3"
    else
        echo "$*" >>/events/log
    fi
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
    [ -n "$MEETING" ] || stay_for begin "$1" "$PATIENCE"
}

# end STEP NAME
end() {
    say end "$1" "$2"
}
