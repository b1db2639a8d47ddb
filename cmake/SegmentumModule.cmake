# segmentum_module(NAME [LIGHT] SOURCES a.cc ... [DEPENDS module ...] [LINK lib ...] [TESTS a_test.cc ...])
#
# A module is a folder, a static library `segmentum_NAME`, and one test program `NAME_test` beside it.
# DEPENDS names the modules below that it may include; LINK names third-party targets (private to the module). LIGHT is a
# module of text and graphs that never visits all pixels: -O1 compiles it in two thirds of the time.
function(segmentum_module name)
  cmake_parse_arguments(arg "LIGHT" "" "SOURCES;DEPENDS;LINK;TESTS;TEST_LINK" ${ARGN})
  set(target segmentum_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_compile_features(${target} PUBLIC cxx_std_20)
  segmentum_warnings(${target})
  segmentum_precompile(${target} segmentum_base)
  if(arg_LIGHT)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
  foreach(below IN LISTS arg_DEPENDS)
    target_link_libraries(${target} PUBLIC segmentum_${below})
  endforeach()
  target_link_libraries(${target} PRIVATE ${arg_LINK})
  set_property(GLOBAL APPEND PROPERTY SEGMENTUM_MODULE_TARGETS ${target})
  set_property(GLOBAL APPEND PROPERTY SEGMENTUM_LINK ${arg_LINK})
  set_property(GLOBAL PROPERTY SEGMENTUM_DEPENDS_${name} ${arg_DEPENDS})
  set_property(GLOBAL PROPERTY SEGMENTUM_TEST_LINK_${name} ${arg_TEST_LINK})
  if(SEGMENTUM_BUILD_TESTS AND arg_TESTS)
    segmentum_test(${name}_test SOURCES ${arg_TESTS} LINK ${target} ${arg_LINK} ${arg_TEST_LINK})
  endif()
endfunction()

# segmentum_test(NAME SOURCES a_test.cc ... LINK lib ...): a GoogleTest program, each test known to CTest.
function(segmentum_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gmock GTest::gtest_main)
  segmentum_warnings(${name})
  segmentum_precompile(${name} base_test <gmock/gmock.h> <gtest/gtest.h>)
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)  # what is tested is fast; this compiles sooner
  target_compile_definitions(${name} PRIVATE
    SEGMENTUM_SOURCE_DIR="${PROJECT_SOURCE_DIR}" SEGMENTUM_BINARY_DIR="${PROJECT_BINARY_DIR}")
  # A parameter's own name is enough: its value would be shown as hundreds of bytes.
  gtest_discover_tests(${name} NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600
    # Tests run side by side: threads that spin while they wait would starve each other.
    ENVIRONMENT OMP_WAIT_POLICY=passive)
endfunction()

# segmentum_test_vectors(NAME): runs a whole test program again as processors of narrower vectors would.
function(segmentum_test_vectors name)
  if(NOT SEGMENTUM_BUILD_TESTS)
    return()
  endif()
  target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/held_vectors.cc)
  target_link_libraries(${name} PRIVATE hwy::hwy)
  foreach(vectors avx2 sse4)
    add_test(NAME ${name}.${vectors} COMMAND ${name} --gtest_brief=1)
    set_tests_properties(${name}.${vectors} PROPERTIES TIMEOUT 900
      ENVIRONMENT "OMP_WAIT_POLICY=passive;SEGMENTUM_TEST_VECTORS=${vectors}")
  endforeach()
endfunction()

# segmentum_precompile(TARGET FIRST [<header>...]): reads the headers that most sources begin with once, for target FIRST,
# and not in each source. Sources include what they use all the same: clang-tidy and builds with ccache read them so.
function(segmentum_precompile target first)
  if(NOT SEGMENTUM_PRECOMPILE)
    return()
  endif()
  target_link_libraries(${target} PRIVATE fmt::fmt)  # all see the same definitions
  if(NOT target STREQUAL first)
    target_precompile_headers(${target} REUSE_FROM ${first})
    return()
  endif()
  target_precompile_headers(${target} PRIVATE <algorithm> <array> <cmath> <cstdint> <filesystem> <functional> <map>
    <memory> <optional> <set> <span> <string> <string_view> <utility> <vector> <fmt/format.h> ${ARGN})
endfunction()

function(segmentum_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wno-missing-field-initializers
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:
      -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread>)  # GCC bug 105329
  if(SEGMENTUM_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

# The one library that applications link: all modules in one archive.
function(segmentum_library)
  get_property(modules GLOBAL PROPERTY SEGMENTUM_MODULE_TARGETS)
  get_property(links GLOBAL PROPERTY SEGMENTUM_LINK)
  list(REMOVE_DUPLICATES links)
  list(REMOVE_ITEM links ${SEGMENTUM_HEADER_ONLY})
  set(objects)
  foreach(module IN LISTS modules)
    list(APPEND objects $<TARGET_OBJECTS:${module}>)
  endforeach()
  add_library(segmentum STATIC ${objects})
  add_library(segmentum::segmentum ALIAS segmentum)
  target_include_directories(segmentum PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
  target_compile_features(segmentum PUBLIC cxx_std_20)
  target_link_libraries(segmentum PRIVATE ${links})
  set_target_properties(segmentum PROPERTIES LINKER_LANGUAGE CXX)
endfunction()
