/**
 * Real servers for tests.
 *
 * <p>A test class annotated {@code @ExtendWith(RealServers.class)} takes a {@link
 * io.sojourn.testkit.server.RedisServer}, a {@link io.sojourn.testkit.server.MariaDbServer}, a
 * {@link io.sojourn.testkit.server.MySqlServer} or a {@link
 * io.sojourn.testkit.server.PostgreSqlServer} as a parameter; {@link
 * io.sojourn.testkit.server.RealServers} starts each once and stops it when the test run ends. A
 * test that kills or suspends its server takes one of its own from {@code startPrivate()}. Redis in
 * its other shapes is private always: with {@linkplain
 * io.sojourn.testkit.server.RedisServer#startPrivateTls TLS}, under {@linkplain
 * io.sojourn.testkit.server.RedisSentinels Sentinels} and as a {@linkplain
 * io.sojourn.testkit.server.RedisClusterServers cluster}; a {@link
 * io.sojourn.testkit.server.RedisAccess} gives any of them TLS and users.
 *
 * <p>A server is looked for in this order:
 *
 * <ol>
 *   <li>the address in a system property or an environment variable: {@code sojourn.test.redis} or
 *       {@code SOJOURN_TEST_REDIS}, and so on with {@code mariadb}, {@code mysql} and {@code
 *       postgresql} (shared servers only);
 *   <li>Docker, where an engine on this machine answers (not for Redis in its other shapes);
 *   <li>a program on the PATH;
 *   <li>the program in a Maven artifact, so that the tests need nothing installed.
 * </ol>
 *
 * <p>Where none works the test fails and the message says what was tried; it is never skipped.
 * There is one exception, for people's own machines: where MySQL's program lacks the library libaio
 * and the environment variable CI is not set, tests that start a MySQL, or take one as a parameter
 * of their constructor or method, are left out, and a line on standard error says so. Whatever is
 * started listens on 127.0.0.1 only and keeps its files in a temporary folder, which is gone when
 * the server is closed and at the latest when the JVM ends.
 */
@NullMarked
package io.sojourn.testkit.server;

import org.jspecify.annotations.NullMarked;
