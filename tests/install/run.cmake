# run(COMMAND ...): its output in `output`; ends the test where it fails.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT code EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "'${command}' ended with ${code}:\n${text}")
  endif()
  set(output "${text}" PARENT_SCOPE)
endfunction()

# configure_consumer(FOLDER -D...): a fresh build tree of the consumer, with the compiler of our own.
function(configure_consumer folder)
  file(REMOVE_RECURSE ${folder})
  run(${CMAKE_COMMAND} -S ${CONSUMER} -B ${folder} -G ${GENERATOR} -D CMAKE_BUILD_TYPE=Release
    -D CMAKE_CXX_COMPILER=${COMPILER} "-DCMAKE_CXX_FLAGS=${FLAGS}" ${ARGN})
endfunction()
