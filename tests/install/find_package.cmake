# Installs into an empty prefix and builds and runs the consumer against that prefix alone.
cmake_minimum_required(VERSION 3.22)
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)

set(prefix ${WORK}/prefix)
file(REMOVE_RECURSE ${prefix})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})

configure_consumer(${WORK}/found -D CMAKE_PREFIX_PATH=${prefix})
run(${CMAKE_COMMAND} --build ${WORK}/found)
run(${WORK}/found/consumer ${MODEL})
if(NOT output MATCHES "^5x7 of 3 classes\nrefused: nowhere.segmentum")
  message(FATAL_ERROR "the consumer printed:\n${output}")
endif()

if(EXISTS ${BUILD}/bin/segmentum)
  run(${prefix}/bin/segmentum version)
endif()
