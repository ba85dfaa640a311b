# Warnings, sanitizers and linker choice for our own targets; libraries of others are included as SYSTEM.
add_library(sonde_options INTERFACE)
target_include_directories(sonde_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(sonde_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
    -Wimplicit-fallthrough -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 sees overlapping copies in std::string operator+ where there are none (GCC bug 105651).
    # It also warns of designated initializers that leave a member at its default, which is their purpose.
    target_compile_options(sonde_options INTERFACE -Wno-restrict -Wno-missing-field-initializers)
endif()
target_compile_definitions(sonde_options INTERFACE
    BOOST_ASIO_NO_DEPRECATED
    # Frames of coroutines that a thread keeps for the next: a check has some ten.
    BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=32
    SONDE_VERSION="${PROJECT_VERSION}")
set(SONDE_SANITIZE "" CACHE STRING "Sanitizers for every target, as in -fsanitize=")
if(SONDE_SANITIZE)
    target_compile_options(sonde_options INTERFACE
        -fsanitize=${SONDE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(sonde_options INTERFACE -fsanitize=${SONDE_SANITIZE})
endif()
find_program(SONDE_MOLD mold)
if(SONDE_MOLD)
    add_link_options(-fuse-ld=mold)
endif()
find_program(SONDE_CCACHE ccache)
if(SONDE_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${SONDE_CCACHE})
endif()
