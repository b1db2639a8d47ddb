# find_package(segmentum): the target segmentum::segmentum, with all that a static library needs at link time.
set(SEGMENTUM_IS_INSTALLED ON)
include(${CMAKE_CURRENT_LIST_DIR}/SegmentumDependencies.cmake)
unset(SEGMENTUM_IS_INSTALLED)
include(${CMAKE_CURRENT_LIST_DIR}/segmentumTargets.cmake)
