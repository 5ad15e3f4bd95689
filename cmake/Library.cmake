# libspanbridge, shared and static, with what finds it: spanbridge.pc and the CMake package.
# `cmake --build DIR --target libspanbridge`, `cmake --install DIR --component library`.
#
# The stage context and the two files of core that it uses; it links nothing but libc.
set(library_map ${PROJECT_SOURCE_DIR}/src/context/spanbridge.map)
add_library(spanbridge_objects OBJECT
    ${PROJECT_SOURCE_DIR}/src/core/assert.c ${PROJECT_SOURCE_DIR}/src/core/hex.c)
target_include_directories(spanbridge_objects PRIVATE ${PROJECT_SOURCE_DIR}/src/core/include)
target_link_libraries(spanbridge_objects PRIVATE sb_flags)
set(library_objects $<TARGET_OBJECTS:sb_context> $<TARGET_OBJECTS:spanbridge_objects>)

# The soname changes with every incompatible release: while the major version is 0, with each
# minor one.
add_library(spanbridge_shared SHARED ${library_objects})
set_target_properties(spanbridge_shared PROPERTIES
    OUTPUT_NAME spanbridge EXPORT_NAME spanbridge LINKER_LANGUAGE C
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    LINK_DEPENDS ${library_map})
target_link_options(spanbridge_shared PRIVATE -Wl,--version-script=${library_map})
target_link_libraries(spanbridge_shared PRIVATE sb_flags)

# One object whose other symbols are local: an archive has no version script, and a program must
# not meet names of its own in it.  Made after the shared library of the same objects: make knows
# objects of other targets by their target only.
set(library_object ${CMAKE_CURRENT_BINARY_DIR}/libspanbridge.o)
add_custom_command(OUTPUT ${library_object}
    COMMAND ${CMAKE_C_COMPILER} -r -nostdlib -o ${library_object} ${library_objects}
    COMMAND ${CMAKE_OBJCOPY} --wildcard "--keep-global-symbol=spanbridge_*" ${library_object}
    DEPENDS spanbridge_shared COMMAND_EXPAND_LISTS VERBATIM)
add_library(spanbridge_static STATIC ${library_object})
set_source_files_properties(${library_object} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
set_target_properties(spanbridge_static PROPERTIES
    OUTPUT_NAME spanbridge EXPORT_NAME spanbridge-static LINKER_LANGUAGE C)

foreach(library spanbridge_shared spanbridge_static)
    target_include_directories(${library} INTERFACE
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
add_custom_target(libspanbridge DEPENDS spanbridge_shared spanbridge_static)

include(CMakePackageConfigHelpers)
set(library_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/spanbridge)
set(library_pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
# Relative to where the file lies, so that `cmake --install --prefix` may put it anywhere.
file(RELATIVE_PATH library_prefix_from_pc /prefix/${library_pkgconfig_dir} /prefix)
string(REGEX REPLACE "/$" "" library_prefix_from_pc ${library_prefix_from_pc})
configure_file(${PROJECT_SOURCE_DIR}/cmake/spanbridge.pc.in
    ${PROJECT_BINARY_DIR}/spanbridge.pc @ONLY)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/spanbridge-config-version.cmake
    COMPATIBILITY SameMinorVersion)

install(TARGETS spanbridge_shared spanbridge_static EXPORT spanbridge-targets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(EXPORT spanbridge-targets NAMESPACE spanbridge::
    DESTINATION ${library_package_dir} COMPONENT library)
install(FILES ${PROJECT_SOURCE_DIR}/cmake/spanbridge-config.cmake
              ${PROJECT_BINARY_DIR}/spanbridge-config-version.cmake
    DESTINATION ${library_package_dir} COMPONENT library)
install(FILES ${PROJECT_BINARY_DIR}/spanbridge.pc
    DESTINATION ${library_pkgconfig_dir} COMPONENT library)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/spanbridge
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library FILES_MATCHING PATTERN "*.h")
