# sb_stage(NAME SOURCES a.c ... USES stage ... LIBS target ...)
#
# One static library per stage: sb_NAME.  Its contract is src/NAME/include/NAME/*.h, its
# private headers lie beside the .c files, and it can include and link only what USES and
# LIBS name: a forbidden include does not compile.
function(sb_stage name)
    cmake_parse_arguments(arg "" "" "SOURCES;USES;LIBS" ${ARGN})
    add_library(sb_${name} STATIC ${arg_SOURCES})
    target_include_directories(sb_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include)
    target_link_libraries(sb_${name} PRIVATE sb_flags)
    foreach(used ${arg_USES})
        target_link_libraries(sb_${name} PUBLIC sb_${used})
    endforeach()
    target_link_libraries(sb_${name} PUBLIC ${arg_LIBS})
endfunction()

# sb_unit_test(STAGE MODULE [extra link targets ...]): tests/unit/STAGE/MODULE_test.c with
# cmocka, linked against sb_STAGE alone and what that stage may use.
function(sb_unit_test stage module)
    set(target unit_${stage}_${module})
    add_executable(${target} ${module}_test.c)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src/${stage})
    target_link_libraries(${target} PRIVATE
        sb_${stage} sb_test_support sb_flags PkgConfig::CMOCKA ${ARGN})
    add_test(NAME unit.${stage}.${module} COMMAND ${target})
    set_tests_properties(unit.${stage}.${module} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()

# sb_fuzz_target(NAME CORPUS dir LINK targets ...): NAME.c holds LLVMFuzzerTestOneInput.  With
# the fuzz preset it becomes a libFuzzer program; in every preset it also becomes a program
# that replays the corpus in tests/data/corpus/DIR as the test fuzz.NAME.
function(sb_fuzz_target name)
    cmake_parse_arguments(arg "" "CORPUS" "LINK" ${ARGN})
    set(corpus ${PROJECT_SOURCE_DIR}/tests/data/corpus/${arg_CORPUS})
    add_executable(replay_${name} ${name}.c replay_main.c)
    target_link_libraries(replay_${name} PRIVATE ${arg_LINK} sb_flags)
    add_test(NAME fuzz.${name} COMMAND replay_${name} ${corpus})
    set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 300)
    if(SPANBRIDGE_FUZZ)
        add_executable(fuzz_${name} ${name}.c)
        target_link_libraries(fuzz_${name} PRIVATE ${arg_LINK} sb_flags)
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    endif()
endfunction()
