package io.sojourn.redis;

import io.sojourn.ChangeListener;
import java.util.List;
import java.util.function.Consumer;

/** Leaves nothing of the driver's libraries on the threads that call. Thread-safe. */
record ForgetfulRunner(ScriptRunner runner, RedisDriver driver) implements ScriptRunner {

  @Override
  public ScriptCall.Reply run(String attempted, ScriptCall call) {
    try {
      return runner.run(attempted, call);
    } finally {
      driver.forgetThread();
    }
  }

  @Override
  public void runAll(String attempted, List<ScriptCall> calls, Consumer<Answered> onAnswer) {
    try {
      runner.runAll(attempted, calls, onAnswer);
    } finally {
      driver.forgetThread();
    }
  }

  @Override
  public long history(int slot) {
    return runner.history(slot);
  }

  @Override
  public void ping() {
    try {
      runner.ping();
    } finally {
      driver.forgetThread();
    }
  }

  @Override
  public Runnable watch(String prefix, ChangeListener listener) {
    try {
      return runner.watch(prefix, listener);
    } finally {
      driver.forgetThread();
    }
  }

  /** What closes the driver next does the rest. */
  @Override
  public void close() {
    runner.close();
  }
}
