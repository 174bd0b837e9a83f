package io.sojourn.tomcat;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.apache.catalina.util.SessionIdGeneratorBase;

/**
 * What reaches the root logger until this is closed. Failures are those of the sessions and the
 * container, not of a pool of connections that grumbles under load, or of a machine that took a
 * tenth of a second to make random numbers. Thread-safe.
 */
final class LogRecords extends Handler implements AutoCloseable {

  private static final String RANDOM_NUMBERS = SessionIdGeneratorBase.class.getName();

  private final Queue<LogRecord> records = new ConcurrentLinkedQueue<>();

  LogRecords() {
    Logger.getLogger("").addHandler(this);
  }

  List<LogRecord> all() {
    return List.copyOf(records);
  }

  private Stream<LogRecord> ours() {
    return records.stream()
        .filter(
            logged -> {
              String logger = String.valueOf(logged.getLoggerName());
              return logger.startsWith("io.sojourn.")
                  || (logger.startsWith("org.apache.catalina.") && !logger.equals(RANDOM_NUMBERS));
            });
  }

  /** Those that are more than information. */
  List<LogRecord> warnings() {
    return ours()
        .filter(record -> record.getLevel().intValue() >= Level.WARNING.intValue())
        .toList();
  }

  /** What they have a stack trace of. */
  List<Throwable> thrown() {
    return ours().map(LogRecord::getThrown).filter(thrown -> thrown != null).toList();
  }

  @Override
  public void publish(LogRecord logged) {
    records.add(logged);
  }

  @Override
  public void flush() {}

  @Override
  public void close() {
    Logger.getLogger("").removeHandler(this);
  }
}
