package io.sojourn.tomcat;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What reaches the root logger until this is closed. Thread-safe. */
final class LogRecords extends Handler implements AutoCloseable {

  private final Queue<LogRecord> records = new ConcurrentLinkedQueue<>();

  LogRecords() {
    Logger.getLogger("").addHandler(this);
  }

  List<LogRecord> all() {
    return List.copyOf(records);
  }

  /** Those that are more than information. */
  List<LogRecord> warnings() {
    return records.stream()
        .filter(record -> record.getLevel().intValue() >= Level.WARNING.intValue())
        .toList();
  }

  /** What they have a stack trace of. */
  List<Throwable> thrown() {
    return records.stream().map(LogRecord::getThrown).filter(thrown -> thrown != null).toList();
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
