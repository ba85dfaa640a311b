# shellcheck shell=bash
# Sourced by the other scripts: where the repository is, how many compilers fit, and how steps are announced.
# It installs nothing and builds nothing by itself.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

# So that a clone elsewhere on the machine finds what this one compiled.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=true

# For the sanitizers: without a symbolizer a report shows addresses only, and Debian's has its version in its name.
symbolizer=/usr/bin/llvm-symbolizer-16
export ASAN_OPTIONS=external_symbolizer_path=$symbolizer
export TSAN_OPTIONS=external_symbolizer_path=$symbolizer:second_deadlock_stack=1
export UBSAN_OPTIONS=external_symbolizer_path=$symbolizer:print_stacktrace=1

say() {
    local bold='' plain=''
    [[ ! -t 2 ]] || bold=$'\033[1m' plain=$'\033[0m'
    printf '%s== %s%s\n' "$bold" "$*" "$plain" >&2
}

# One compiler of ours takes up to 0.9 GB, so on a small machine the memory is the limit and not the cores.
compile_jobs() {
    local cores gigabytes
    cores=$(nproc)
    gigabytes=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)
    ((gigabytes >= 1)) || gigabytes=1
    echo $((cores < gigabytes ? cores : gigabytes))
}

# build PRESET [TARGET...]: configures when that was not done yet (ninja repeats it by itself when needed) and builds.
build() {
    local preset=$1
    shift
    [[ -f build/$preset/build.ninja ]] || cmake --preset "$preset"
    cmake --build --preset "$preset" --parallel "$(compile_jobs)" ${1:+--target "$@"}
}
