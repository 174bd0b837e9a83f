package io.sojourn.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Ends connections that do not take what is sent over them: a driver waits for an answer for as
 * long as it is told, but until TCP gives up for room to send, which may be a quarter of an hour
 * after the host has vanished. It has a thread while it has something to watch, and for a while
 * after.
 *
 * <p>Thread-safe.
 */
final class WriteWatch implements AutoCloseable {

  /** What its thread is called. */
  static final String THREAD = "sojourn-write-watch";

  private static final Duration IDLE = Duration.ofMinutes(1);

  private final ScheduledThreadPoolExecutor clock =
      new ScheduledThreadPoolExecutor(
          1, work -> thread(THREAD, work), new ThreadPoolExecutor.DiscardPolicy());

  WriteWatch() {
    clock.setKeepAliveTime(IDLE.toMillis(), TimeUnit.MILLISECONDS);
    clock.allowCoreThreadTimeOut(true);
    clock.setRemoveOnCancelPolicy(true);
  }

  /** A thread that does not hold on to the class loader of whoever happens to need it. */
  static Thread thread(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.setContextClassLoader(WriteWatch.class.getClassLoader());
    return thread;
  }

  /**
   * Ends the connection after this time.
   *
   * @return cancels that
   */
  Future<?> endAfter(Duration time, Connection connection) {
    return clock.schedule(() -> end(connection), time.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Watches nothing new; what it watches it does to the end. Repeatable. */
  @Override
  public void close() {
    clock.shutdown();
  }

  /** On a thread of its own: a driver may try to tell the server, and TLS the other side. */
  private static void end(Connection connection) {
    Runnable end =
        () -> {
          try {
            connection.abort(Runnable::run);
          } catch (SQLException e) {
            // It is gone already, which is what was wanted.
          }
        };
    thread("sojourn-write-end", end).start();
  }
}
