package io.sojourn.testkit.server;

import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.StoreScope;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives tests the {@link RedisServer}, {@link MariaDbServer} and {@link PostgreSqlServer} that the
 * whole test run shares.
 *
 * <p>Each is started when the first test asks for it and stopped when the launcher's session ends.
 * Every class has to keep to keys or a database of its own ({@code newDatabase()}), and must leave
 * the server running. Safe for tests that run in parallel.
 */
public final class RealServers implements ParameterResolver {

  private static final Namespace NAMESPACE = Namespace.create(RealServers.class);

  private static final Map<Class<?>, Supplier<RunningServer>> START =
      Map.of(
          RedisServer.class, RedisServer::startShared,
          MariaDbServer.class, MariaDbServer.PRODUCT::startShared,
          PostgreSqlServer.class, PostgreSqlServer.PRODUCT::startShared);

  /** Creates the extension; JUnit does this. */
  public RealServers() {}

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return START.containsKey(type);
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return context
        .getStore(StoreScope.LAUNCHER_SESSION, NAMESPACE)
        .computeIfAbsent(
            parameter.getParameter().getType(),
            type -> Objects.requireNonNull(START.get(type)).get());
  }
}
