# What is installed where, and the Debian package and tarball made of it (scripts/package). One component.
# Configuration is in /etc/sonde whatever the prefix, as for every daemon; -DSONDE_CONFIG_DIR= moves it.
set(SONDE_CONFIG_DIR /etc/sonde CACHE PATH "Where sonde.toml and targets.d are installed")
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME sonde)

# Lazy binding leaves a writable table of function pointers in the process.
target_link_options(sonde PRIVATE LINKER:-z,relro,-z,now)
install(TARGETS sonde RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES config/default.toml DESTINATION ${SONDE_CONFIG_DIR} RENAME sonde.toml)
install(FILES config/targets.d/example DESTINATION ${SONDE_CONFIG_DIR}/targets.d)
install(FILES deploy/systemd/sonde.service DESTINATION lib/systemd/system)
install(FILES deploy/systemd/sonde.sysusers DESTINATION lib/sysusers.d RENAME sonde.conf)
install(DIRECTORY grafana/dashboards grafana/rules DESTINATION ${CMAKE_INSTALL_DATADIR}/sonde
    PATTERN tests EXCLUDE)
# The example names the rules where they are installed: the prefix is known then, and one copies it to somewhere else.
install(CODE "
    file(READ \"${PROJECT_SOURCE_DIR}/deploy/prometheus/prometheus.yml\" example)
    string(REPLACE ../../grafana/rules \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/sonde/rules\" example \"\${example}\")
    file(WRITE \"${CMAKE_CURRENT_BINARY_DIR}/prometheus.yml\" \"\${example}\")
    file(INSTALL \"${CMAKE_CURRENT_BINARY_DIR}/prometheus.yml\"
        DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR}/examples\")")
install(FILES README.md docs/config.md docs/metrics.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES deploy/debian/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Debian wants these two compressed, and the same bytes every time (-n: no time stamp).
find_program(SONDE_GZIP gzip REQUIRED)
foreach(document deploy/debian/changelog deploy/debian/sonde.1)
    get_filename_component(name ${document} NAME)
    execute_process(COMMAND ${SONDE_GZIP} -9nc ${PROJECT_SOURCE_DIR}/${document}
        OUTPUT_FILE ${CMAKE_CURRENT_BINARY_DIR}/${name}.gz COMMAND_ERROR_IS_FATAL ANY)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${document})
endforeach()
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/changelog.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sonde.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_NAME sonde)
set(CPACK_PACKAGE_VENDOR "Sonde")
set(CPACK_PACKAGE_CONTACT "Sonde maintainers <maintainers@sonde.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "website and endpoint monitor for Prometheus")
set(CPACK_PACKAGE_DESCRIPTION
"Sonde checks websites on its own schedule and serves what it measured as
Prometheus metrics: availability, the time of every phase of a request,
round-trip time histograms, certificates, and patterns in the answer.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_COMPONENTS_ALL sonde)
set(CPACK_STRIP_FILES ON)
# Absolute paths (/etc) are only packed when the files are staged with DESTDIR.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "ca-certificates, systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS prometheus)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${PROJECT_SOURCE_DIR}/deploy/debian/conffiles
    ${PROJECT_SOURCE_DIR}/deploy/debian/postinst
    ${PROJECT_SOURCE_DIR}/deploy/debian/prerm
    ${PROJECT_SOURCE_DIR}/deploy/debian/postrm)
include(CPack)
