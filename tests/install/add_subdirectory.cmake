# Configures the consumer with the source tree as a subdirectory, and asks what a build of it would do: the library, and
# neither the program nor tests. Building the library a second time would cost minutes and show no more.
cmake_minimum_required(VERSION 3.22)
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

configure_consumer(${WORK}/beside -D SEGMENTUM_SOURCE=${SOURCE})
run(${CMAKE_COMMAND} --build ${WORK}/beside -- -n)
if(NOT output MATCHES "Linking CXX executable consumer" OR NOT output MATCHES "libsegmentum\\.a")
  message(FATAL_ERROR "the consumer or the library is not built:\n${output}")
endif()
if(output MATCHES "_test|segmentum_cli")
  message(FATAL_ERROR "an application should not have to build our tests or our program:\n${output}")
endif()
