# sb_flags: the warnings, hardening and sanitizers every target of ours is built with.
add_library(sb_flags INTERFACE)
target_compile_features(sb_flags INTERFACE c_std_11)
target_compile_definitions(sb_flags INTERFACE _GNU_SOURCE)
target_compile_options(sb_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
    -Wold-style-definition -Wpointer-arith -Wcast-align -Wwrite-strings -Wundef -Wvla
    -Wformat=2 -Wimplicit-fallthrough -fno-common -fno-strict-overflow
    -fvisibility=hidden -fstack-protector-strong)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    target_compile_options(sb_flags INTERFACE -Wlogical-op -Wduplicated-cond)
endif()
if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
    # rd_kafka_producev is called through macros of librdkafka that are written so.
    target_compile_options(sb_flags INTERFACE -Wno-gnu-statement-expression)
endif()
if(SPANBRIDGE_WERROR)
    target_compile_options(sb_flags INTERFACE -Werror)
endif()

if(SPANBRIDGE_SANITIZE)
    target_compile_options(sb_flags INTERFACE
        -fsanitize=${SPANBRIDGE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(sb_flags INTERFACE -fsanitize=${SPANBRIDGE_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo" OR CMAKE_BUILD_TYPE STREQUAL "Release")
    # Fortify needs optimisation and would hide faults from the sanitizers.
    target_compile_options(sb_flags INTERFACE
        -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-clash-protection -fcf-protection)
    target_link_options(sb_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
if(SPANBRIDGE_FUZZ)
    target_compile_options(sb_flags INTERFACE -fsanitize=fuzzer-no-link)
    target_link_options(sb_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(SPANBRIDGE_COVERAGE)
    target_compile_options(sb_flags INTERFACE --coverage)
    target_link_options(sb_flags INTERFACE --coverage)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
