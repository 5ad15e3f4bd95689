# Librdkafka::librdkafka: a system library when it is new enough, else our pinned build.
#
# Older versions skip offsets around pause and resume, or crash on leaving a group without
# a coordinator: 2.14.2 is the floor, and there is no second code path.
set(SPANBRIDGE_RDKAFKA_FLOOR 2.14.2)
set(SPANBRIDGE_RDKAFKA_VERSION 2.15.1)

add_library(Librdkafka::librdkafka INTERFACE IMPORTED)
pkg_check_modules(RDKAFKA_SYSTEM QUIET IMPORTED_TARGET rdkafka>=${SPANBRIDGE_RDKAFKA_FLOOR})
if(RDKAFKA_SYSTEM_FOUND)
    target_link_libraries(Librdkafka::librdkafka INTERFACE PkgConfig::RDKAFKA_SYSTEM)
    message(STATUS "librdkafka: system ${RDKAFKA_SYSTEM_VERSION}")
else()
    # Shared by all presets, so that it is built once.
    set(rdkafka_dir ${PROJECT_SOURCE_DIR}/build/deps/librdkafka-${SPANBRIDGE_RDKAFKA_VERSION})
    if(NOT EXISTS ${rdkafka_dir}/lib/librdkafka.a)
        message(STATUS "librdkafka: building ${SPANBRIDGE_RDKAFKA_VERSION}, about a minute")
        execute_process(
            COMMAND bash ${PROJECT_SOURCE_DIR}/cmake/build-librdkafka.sh ${rdkafka_dir}
            RESULT_VARIABLE rdkafka_result)
        if(NOT rdkafka_result EQUAL 0)
            message(FATAL_ERROR "librdkafka could not be built: see the lines above")
        endif()
    endif()
    find_package(Threads REQUIRED)
    pkg_check_modules(RDKAFKA_NEEDS REQUIRED IMPORTED_TARGET libssl libcrypto zlib libzstd liblz4)
    target_include_directories(Librdkafka::librdkafka SYSTEM INTERFACE ${rdkafka_dir}/include)
    target_link_libraries(Librdkafka::librdkafka INTERFACE
        ${rdkafka_dir}/lib/librdkafka.a PkgConfig::RDKAFKA_NEEDS Threads::Threads dl m)
    message(STATUS "librdkafka: own static ${SPANBRIDGE_RDKAFKA_VERSION}")
endif()
