package io.sojourn.jdbc;

import io.sojourn.SessionStore;
import io.sojourn.StoreConfiguration;
import java.util.Hashtable;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import javax.naming.Context;
import javax.naming.InitialContext;
import javax.naming.spi.InitialContextFactory;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The naming of a container that has one data source, whatever it is called. */
public final class BoundDataSource implements InitialContextFactory {

  static final String STORE = "jndi:jdbc/sessions";

  private static final AtomicReference<@Nullable DataSource> BOUND = new AtomicReference<>();

  /** For {@link javax.naming.spi.NamingManager}. */
  public BoundDataSource() {}

  /** Opens a store over a data source as over one of the container's. */
  static SessionStore open(DataSource dataSource) {
    BOUND.set(dataSource);
    System.setProperty(Context.INITIAL_CONTEXT_FACTORY, BoundDataSource.class.getName());
    try {
      return new JdbcSessionStoreProvider().open(StoreConfiguration.of(STORE, "app"));
    } finally {
      System.clearProperty(Context.INITIAL_CONTEXT_FACTORY);
    }
  }

  @Override
  public Context getInitialContext(@Nullable Hashtable<?, ?> environment)
      throws javax.naming.NamingException {
    return new InitialContext(true) {
      @Override
      public Object lookup(String name) {
        return Objects.requireNonNull(BOUND.get());
      }
    };
  }
}
