package io.sojourn.redis;

import io.sojourn.ChangeListener;
import io.sojourn.SessionException;
import io.sojourn.StoreUnavailableException;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Where the scripts of a store are run. Connects when it is first used. Thread-safe. */
interface ScriptRunner extends AutoCloseable {

  /**
   * Runs a script.
   *
   * @param attempted what for, after "Cannot"
   * @throws StoreUnavailableException if the server cannot be asked
   * @throws SessionException if it says something unexpected
   */
  ScriptCall.Reply run(String attempted, ScriptCall call);

  /**
   * Runs scripts in one round trip to each server.
   *
   * @param attempted what for, after "Cannot"
   * @param onAnswer takes the answers, as they come
   * @throws StoreUnavailableException if a server cannot be asked; the answers before were given
   * @throws SessionException if it says something unexpected
   */
  void runAll(String attempted, List<ScriptCall> calls, Consumer<Answered> onAnswer);

  /**
   * What a call came to.
   *
   * @param index which of those that were to be run
   * @param value as in {@link ScriptCall.Reply}
   */
  record Answered(int index, @Nullable Object value) {}

  /**
   * Which history the keys of a slot go on with, as {@link io.sojourn.SessionStore#history} says.
   * Asks no server.
   *
   * @param slot of any use in a cluster only
   */
  long history(int slot);

  /**
   * Asks a server whether it is there.
   *
   * @throws StoreUnavailableException if not
   */
  void ping();

  /**
   * Has the servers tell which keys change.
   *
   * @param prefix what the names of the keys begin with
   * @return what ends it
   */
  Runnable watch(String prefix, ChangeListener listener);

  /** Closes the connections. Repeatable; never throws. */
  @Override
  void close();
}
