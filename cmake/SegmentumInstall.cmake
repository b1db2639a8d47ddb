# `cmake --install`: the library, its public headers, the program, and what find_package(segmentum) reads.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

option(SEGMENTUM_INSTALL "Install the library and the program" ${PROJECT_IS_TOP_LEVEL})
if(NOT SEGMENTUM_INSTALL)
  return()
endif()

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/segmentum)

install(TARGETS segmentum EXPORT segmentumTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/segmentum DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT segmentumTargets NAMESPACE segmentum:: DESTINATION ${config_dir})
if(TARGET segmentum_cli)
  install(TARGETS segmentum_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

write_basic_package_version_file(${PROJECT_BINARY_DIR}/segmentumConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)  # before 1.0 a minor version may break
install(FILES
  ${PROJECT_SOURCE_DIR}/cmake/segmentumConfig.cmake
  ${PROJECT_SOURCE_DIR}/cmake/SegmentumDependencies.cmake
  ${PROJECT_BINARY_DIR}/segmentumConfigVersion.cmake
  DESTINATION ${config_dir})
