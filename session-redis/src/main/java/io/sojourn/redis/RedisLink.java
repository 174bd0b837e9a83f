package io.sojourn.redis;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisCommandTimeoutException;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.sojourn.SessionException;
import io.sojourn.StoreUnavailableException;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * A way to a server: one connection that all threads share, opened when it is first needed and
 * again whenever it was lost.
 *
 * <p>Every wait, for a connection or for an answer, ends with the timeout; what is long may take
 * longer, as long as bytes of it arrive, and not for ever. Every call ends with an answer, or an
 * exception that says what was attempted and what to look at. Thread-safe.
 */
final class RedisLink {

  /*
   * The driver's own reconnecting is off, for three reasons. It would send again what was on its
   * way when the connection broke, and not say so; what a script answers the second time has to be
   * read in another way. It waits longer and longer between attempts, while the request at hand could have been
   * served. And it never notices a peer that is silently gone: TCP goes on for a quarter of an hour.
   *
   * So a call that finds no connection opens one, and those that come meanwhile wait for the same.
   * Once two attempts in a row have failed, or one was too slow, only one call at a time tries, and
   * not before a short pause; all others fail at once with the reason it had. And a connection on which nothing at all arrived
   * while a call waited for its whole timeout is dropped.
   */

  /** Between attempts to connect, but for the second one. */
  private static final long PAUSE_NANOS = Duration.ofMillis(100).toNanos();

  /** Before a server that is not ready yet is asked again, at the most. */
  private static final long LONGEST_WAIT_MILLIS = 50;

  /** How many times the timeout an answer may take that arrives slowly. */
  private static final int LONGEST_ANSWER = 30;

  /** Only a script that has written nothing can be killed. */
  private static final String KILLED = "Script killed by user";

  /** Of a slot that is on the move, what a script looks for may have gone already. */
  private static final String ELSEWHERE = "non local key";

  /** What a server says that has not begun to do what it was asked, and may do it soon. */
  private static final Set<String> NOT_YET =
      Set.of(
          "LOADING",
          "READONLY",
          "MASTERDOWN",
          "CLUSTERDOWN",
          "TRYAGAIN",
          "BUSY",
          KILLED,
          ELSEWHERE);

  private static final String ACL =
      "Look at the user's ACL; docs/operations.md has the rule that is enough.";

  /** What the server says when it is not the question that is wrong, and what to do about it. */
  private static final Map<String, String> REFUSALS =
      Map.ofEntries(
          Map.entry("LOADING", "The server has just started and is reading its data: wait."),
          Map.entry("READONLY", "It is a replica: let the URL name the primary."),
          Map.entry("MASTERDOWN", "It is a replica without its primary: let the URL name that."),
          Map.entry("NOAUTH", "Give a password, in the URL or as an option."),
          Map.entry("WRONGPASS", "Look at the username and password."),
          Map.entry("NOPERM", ACL),
          Map.entry("ACL failure", ACL),
          Map.entry("The user executing the script can't", ACL),
          Map.entry("DENIED", "Its protected mode is on: give it a password."),
          Map.entry("OOM", "Its memory is full: look at maxmemory."),
          Map.entry("MISCONF", "It cannot write to its disk: look at its log."),
          Map.entry("NOREPLICAS", "It has too few replicas: see min-replicas-to-write."),
          Map.entry(KILLED, "Who did, and was the script slow? See SLOWLOG."),
          Map.entry("BUSY", "A script of somebody's has been running for long: see SLOWLOG."),
          Map.entry("CLUSTERDOWN", "The cluster is not whole: see CLUSTER INFO."),
          Map.entry("TRYAGAIN", "The cluster is moving this slot."),
          Map.entry(ELSEWHERE, "The cluster is moving this slot."),
          Map.entry("MOVED", "It is a node of a cluster: begin the URL with redis-cluster:."),
          Map.entry("ASK", "It is a node of a cluster: begin the URL with redis-cluster:."),
          Map.entry("max number of clients", "Look at CLIENT LIST and maxclients."));

  private static final Pattern REFUSAL =
      Pattern.compile("(?<![A-Za-z])(" + String.join("|", REFUSALS.keySet()) + ")(?![A-Za-z])");

  private final RedisDriver driver;
  private final Function<Duration, RedisURI> uri;
  private final Duration timeout;
  private final int replicas;
  private final String url;
  private final boolean ofCluster;
  private final RedisLinks links;
  private final Object lock = new Object();

  private volatile RedisDriver.@Nullable Opened present;

  /** When anything last arrived, by {@link System#nanoTime()}. */
  private volatile long lastAnswer = System.nanoTime();

  private volatile boolean closed;

  /** An attempt to connect that is under way. */
  @GuardedBy("lock")
  private @Nullable CompletableFuture<RedisDriver.Opened> attempt;

  /** Why the last attempt failed; null if it did not. */
  @GuardedBy("lock")
  private @Nullable Throwable lastFailure;

  @GuardedBy("lock")
  private long failedAt;

  /** Whether an attempt that fails is followed by another one at once, which all may wait for. */
  @GuardedBy("lock")
  private boolean oneMore = true;

  /**
   * A link that connects when it is first used.
   *
   * @param uri where to, given how long to wait for it
   * @param settings how long to wait for an answer, and for how many replicas
   * @param url where to, for messages, without credentials
   * @param ofCluster whether the caller knows what to do about a {@link Redirection}
   * @param links all that lead to the same server
   */
  RedisLink(
      RedisDriver driver,
      Function<Duration, RedisURI> uri,
      RedisSettings settings,
      String url,
      boolean ofCluster,
      RedisLinks links) {
    this.ofCluster = ofCluster;
    this.links = links;
    this.driver = driver;
    this.uri = uri;
    this.timeout = settings.timeout();
    this.replicas = settings.replicas();
    this.url = url;
  }

  /**
   * Runs a script, as {@link ScriptRunner} says.
   *
   * @param asking whether the server only has what it is asked for on its way to it
   */
  ScriptCall.Reply run(String attempted, ScriptCall call, boolean asking) {
    if (replicas == 0 || !call.script().isKept()) {
      Answer<@Nullable Object> answer =
          ask(
              attempted,
              call,
              connected -> send(connected, call, false, asking),
              connected -> send(connected, call, true, asking));
      return new ScriptCall.Reply(answer.value, answer.repeated);
    }
    Answer<Done> answer =
        ask(
            attempted,
            call,
            connected -> done(connected, send(connected, call, false, asking)),
            connected -> done(connected, send(connected, call, true, asking)));
    if (answer.value.replicas < replicas) {
      throw unacknowledged(attempted, answer.value.replicas);
    }
    return new ScriptCall.Reply(answer.value.value, answer.repeated);
  }

  /** What a script answered, and how many replicas have what it did. */
  private record Done(@Nullable Object value, long replicas) {}

  /** Asks in the same round trip whether the replicas have it too. */
  private CompletableFuture<Done> done(
      StatefulRedisConnection<byte[], byte[]> connected, RedisFuture<@Nullable Object> sent) {
    return sent.thenCombine(
            connected.async().waitForReplication(replicas, timeout.toMillis() / 2), Done::new)
        .toCompletableFuture();
  }

  /**
   * Sends a script, or what it is known by.
   *
   * @param whole for a server that has not seen the script yet, or has forgotten it
   * @param asking in one piece with what makes the server answer: another thread's command between
   *     the two would take its place
   */
  private RedisFuture<@Nullable Object> send(
      StatefulRedisConnection<byte[], byte[]> connected,
      ScriptCall call,
      boolean whole,
      boolean asking) {
    CommandArgs<byte[], byte[]> arguments =
        new CommandArgs<>(ByteArrayCodec.INSTANCE)
            .add(whole ? call.script().source() : call.script().digest())
            .add(call.keys().length);
    for (byte[] key : call.keys()) {
      arguments.addKey(key);
    }
    for (byte[] argument : call.arguments()) {
      arguments.add(argument);
    }
    AsyncCommand<byte[], byte[], @Nullable Object> script =
        new AsyncCommand<>(
            new Command<>(
                whole ? CommandType.EVAL : CommandType.EVALSHA,
                new ScriptOutput(this::arrived),
                arguments));
    if (asking) {
      var unused =
          connected.dispatch(
              List.of(
                  new AsyncCommand<>(
                      new Command<>(
                          CommandType.ASKING, new StatusOutput<>(ByteArrayCodec.INSTANCE))),
                  script));
    } else {
      var unused = connected.dispatch(script);
    }
    return script;
  }

  private void arrived() {
    lastAnswer = System.nanoTime();
  }

  /** A call that the driver does not take has failed like one whose connection was lost. */
  private CompletableFuture<@Nullable Object> sent(
      StatefulRedisConnection<byte[], byte[]> connected, ScriptCall call) {
    try {
      return send(connected, call, false, false).toCompletableFuture();
    } catch (RedisException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /** Runs scripts in one round trip, as {@link ScriptRunner} says. */
  void runAll(String attempted, List<ScriptCall> calls, Consumer<ScriptRunner.Answered> onAnswer) {
    StatefulRedisConnection<byte[], byte[]> connected = connect(attempted);
    List<CompletableFuture<@Nullable Object>> answers = new ArrayList<>(calls.size());
    calls.forEach(call -> answers.add(sent(connected, call)));
    for (int i = 0; i < calls.size(); i++) {
      Object answer;
      try {
        // As long as answers arrive, the next may take its time.
        answer = await(connected, answers.get(i), calls.get(i));
      } catch (ExecutionException | TimeoutException | InterruptedException | RuntimeException e) {
        Throwable reason = reason(e);
        if (isLoss(reason)) {
          drop(connected);
        } else if (!(reason instanceof RedisNoScriptException) && !isNotYet(reason)) {
          throw failure(attempted, connected, e);
        }
        answer = run(attempted, calls.get(i), false).value();
      }
      onAnswer.accept(new ScriptRunner.Answered(i, answer));
    }
  }

  /** Asks the server whether it is there, as {@link ScriptRunner} says. */
  void ping() {
    ask("ping", null, connected -> connected.async().ping(), null);
  }

  /**
   * Asks a node of a cluster who has which slots.
   *
   * @return the answer to {@code CLUSTER SLOTS}
   * @throws StoreUnavailableException if it cannot be asked
   */
  List<Object> clusterSlots(String attempted) {
    return ask(attempted, null, connected -> connected.async().clusterSlots(), null).value;
  }

  /** Has the next call open another connection; those under way are done again there. */
  void reconnect() {
    RedisDriver.Opened known = present;
    if (known != null) {
      drop(known.connection());
    }
  }

  /** Closes the connection, for good. Repeatable; never throws. */
  void close() {
    RedisDriver.Opened known;
    synchronized (lock) {
      closed = true;
      known = present;
      present = null;
    }
    if (known != null) {
      RedisDriver.awaitClosed(known.connection().closeAsync(), timeout);
    }
  }

  // ---------------------------------------------------------------- asking

  private record Answer<T extends @Nullable Object>(T value, boolean repeated) {}

  /*
   * What is asked may be asked twice: scripts are made for it. It is asked once more after a connection was lost, since the server may
   * have been started again or have closed what was idle for long; and for as long as the timeout, of a server that is not ready, or not
   * the primary any more.
   */
  @CanIgnoreReturnValue
  private <T extends @Nullable Object> Answer<T> ask(
      String attempted,
      @Nullable ScriptCall call,
      Function<StatefulRedisConnection<byte[], byte[]>, ? extends Future<T>> command,
      @Nullable Function<StatefulRedisConnection<byte[], byte[]>, ? extends Future<T>>
          ifScriptIsUnknown) {
    Function<StatefulRedisConnection<byte[], byte[]>, ? extends Future<T>> next = command;
    boolean repeated = false;
    long start = System.nanoTime();
    long wait = 1;
    while (true) {
      StatefulRedisConnection<byte[], byte[]> connected;
      try {
        connected = connect(attempted);
      } catch (StoreUnavailableException e) {
        Throwable reason = e.getCause();
        if (reason == null
            || !isNotYet(root(reason))
            || Thread.currentThread().isInterrupted()
            || System.nanoTime() - start >= timeout.toNanos()) {
          throw e;
        }
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(wait));
        wait = Math.min(2 * wait, LONGEST_WAIT_MILLIS);
        continue;
      }
      try {
        return new Answer<>(await(connected, next.apply(connected), call), repeated);
      } catch (ExecutionException | TimeoutException | InterruptedException | RuntimeException e) {
        Throwable reason = reason(e);
        if (reason instanceof RedisNoScriptException
            && ifScriptIsUnknown != null
            && next != ifScriptIsUnknown) {
          next = ifScriptIsUnknown;
        } else if (isLoss(reason) && !repeated) {
          repeated = true;
          drop(connected);
        } else if (isNotYet(reason) && System.nanoTime() - start < timeout.toNanos()) {
          lastAnswer = System.nanoTime();
          if (!leadsToPrimary(reason)) {
            dropAll(connected);
          }
          LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(wait));
          wait = Math.min(2 * wait, LONGEST_WAIT_MILLIS);
        } else {
          throw failure(attempted, connected, e);
        }
      }
    }
  }

  private static boolean isNotYet(Throwable reason) {
    return reason instanceof RedisCommandExecutionException
        && NOT_YET.contains(String.valueOf(refusal(reason)));
  }

  /** Not so after a failover: then the same name leads to another server. */
  private static boolean leadsToPrimary(Throwable reason) {
    String refusal = refusal(reason);
    return !"READONLY".equals(refusal) && !"MASTERDOWN".equals(refusal);
  }

  /**
   * An answer that is arriving has as much time as it goes on to, and what is known to be long has
   * that time for what is before it too: up to a bound, at which the rest of an answer is not worth
   * the connection that it keeps others from.
   */
  private <T extends @Nullable Object> T await(
      StatefulRedisConnection<byte[], byte[]> connected,
      Future<T> future,
      @Nullable ScriptCall call)
      throws ExecutionException, TimeoutException, InterruptedException {
    try {
      long start = System.nanoTime();
      long timeToSend = call == null ? 0 : call.timeToSend().toNanos();
      long left = timeout.toNanos() + timeToSend;
      while (true) {
        try {
          T answer = future.get(left, TimeUnit.NANOSECONDS);
          if (call == null) {
            arrived();
          }
          return answer;
        } catch (TimeoutException e) {
          boolean arrives = isArriving(future);
          long now = System.nanoTime();
          left =
              Math.min(
                  timeout.toNanos() + timeToSend - (now - Math.max(start, lastAnswer)),
                  LONGEST_ANSWER * timeout.toNanos() + timeToSend - (now - start));
          if (left <= 0 || !(arrives || (call != null && call.mayBeLong()))) {
            if (arrives) {
              drop(connected);
            }
            throw e;
          }
        }
      }
    } finally {
      if (!future.isDone()) {
        future.cancel(true);
      }
    }
  }

  /** Whether bytes of just this answer have arrived, so that whatever arrives by now is of it. */
  private static boolean isArriving(Future<?> future) {
    return future instanceof AsyncCommand<?, ?, ?> command
        && command.getOutput() instanceof ScriptOutput output
        && output.hasBegun();
  }

  // ---------------------------------------------------------------- connecting

  /**
   * A first attempt that fails within half of its time is followed by another one at once: what
   * broke it may have been the last thing that an old server did, or a sentinel that had no time.
   */
  private StatefulRedisConnection<byte[], byte[]> connect(String attempted) {
    RedisDriver.Opened known = present;
    if (known != null && isOfUse(known)) {
      return known.connection();
    }
    Duration patience = driver.patience(timeout);
    long start = System.nanoTime();
    while (true) {
      CompletableFuture<RedisDriver.Opened> opening;
      synchronized (lock) {
        known = present;
        if (known != null && isOfUse(known)) {
          return known.connection();
        }
        if (known != null) {
          // The client would keep it for ever.
          drop(known.connection());
        }
        opening = attempt;
        if (closed
            || (lastFailure != null
                && !oneMore
                && (opening != null || System.nanoTime() - failedAt < PAUSE_NANOS))) {
          throw unavailable(attempted, lastFailure);
        }
        if (opening == null) {
          opening =
              driver
                  .connectAsking(uri.apply(patience), !ofCluster)
                  .thenApply(this::recognized)
                  .whenComplete(this::attempted);
          attempt = opening.isDone() ? null : opening;
        }
      }
      long left = patience.toNanos() - (System.nanoTime() - start);
      try {
        RedisDriver.Opened opened = opening.get(Math.max(0, left), TimeUnit.NANOSECONDS);
        if (links.isPresent(opened.replicationId())) {
          return opened.connection();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw unavailable(attempted, e);
      } catch (ExecutionException | CancellationException e) {
        synchronized (lock) {
          oneMore &= System.nanoTime() - start < patience.toNanos() / 2;
          if (!oneMore) {
            throw unavailable(attempted, e);
          }
        }
      } catch (TimeoutException e) {
        driver.hasTried();
        synchronized (lock) {
          if (attempt != null) {
            failed(e);
            oneMore = false;
          }
        }
        throw unavailable(attempted, e);
      }
    }
  }

  /** Not if it leads to a server in whose place another link has found another one. */
  private boolean isOfUse(RedisDriver.Opened opened) {
    return opened.connection().isOpen() && links.isPresent(opened.replicationId());
  }

  private RedisDriver.Opened recognized(RedisDriver.Opened opened) {
    links.connected(opened.replicationId());
    return opened;
  }

  private void attempted(RedisDriver.@Nullable Opened opened, @Nullable Throwable failure) {
    driver.hasTried();
    synchronized (lock) {
      attempt = null;
      if (opened == null) {
        failed(failure == null ? new IllegalStateException("No connection") : failure);
      } else if (closed) {
        var unused = opened.connection().closeAsync();
      } else {
        lastAnswer = System.nanoTime();
        lastFailure = null;
        oneMore = true;
        present = opened;
      }
    }
  }

  private void failed(Throwable why) {
    synchronized (lock) {
      oneMore &= lastFailure == null;
      lastFailure = why;
      failedAt = System.nanoTime();
    }
  }

  /** The other links lead to the same server. */
  private void dropAll(StatefulRedisConnection<byte[], byte[]> lost) {
    if (drop(lost)) {
      links.reconnect();
    }
  }

  /**
   * Has the next call open another connection; what is still waiting on this one fails.
   *
   * @return whether nobody has done so before
   */
  @CanIgnoreReturnValue
  private boolean drop(StatefulRedisConnection<byte[], byte[]> lost) {
    synchronized (lock) {
      RedisDriver.Opened known = present;
      if (known == null || known.connection() != lost) {
        return false;
      }
      present = null;
    }
    var unused = lost.closeAsync();
    return true;
  }

  // ---------------------------------------------------------------- failing

  private RuntimeException failure(
      String attempted, StatefulRedisConnection<byte[], byte[]> connected, Exception exception) {
    Throwable reason = reason(exception);
    if (reason instanceof InterruptedException) {
      Thread.currentThread().interrupt();
      return unavailable(attempted, reason);
    }
    if (reason instanceof TimeoutException) {
      if (System.nanoTime() - lastAnswer >= timeout.toNanos()) {
        drop(connected);
      }
      return unavailable(attempted, reason);
    }
    if (isLoss(reason)) {
      drop(connected);
      return unavailable(attempted, reason);
    }
    if (reason instanceof RedisCommandExecutionException) {
      lastAnswer = System.nanoTime();
      Optional<Redirection> redirection = ofCluster ? Redirection.in(reason) : Optional.empty();
      if (redirection.isPresent()) {
        return redirection.get();
      }
      if (refusal(reason) != null) {
        if (!leadsToPrimary(reason)) {
          dropAll(connected);
        }
        return unavailable(attempted, reason);
      }
    }
    return new SessionException(
        "Cannot " + attempted + " in " + url + ": unexpectedly, " + said(reason), reason);
  }

  private StoreUnavailableException unacknowledged(String attempted, long acknowledged) {
    return new StoreUnavailableException(
        "Cannot "
            + attempted
            + " in "
            + url
            + ": it was done, but only "
            + acknowledged
            + " of "
            + replicas
            + " replicas have it (option 'replicas'). Look at INFO replication.",
        null);
  }

  private StoreUnavailableException unavailable(String attempted, @Nullable Throwable reason) {
    String what;
    if (closed) {
      what = "the store has been closed.";
    } else if (reason instanceof InterruptedException) {
      what = "the thread was interrupted while it waited for the answer.";
    } else if (reason instanceof TimeoutException
        || (reason != null && root(reason) instanceof RedisCommandTimeoutException)) {
      what =
          "no answer in time (timeout: "
              + timeout.toMillis()
              + " ms). Look at the server's load (SLOWLOG, LATENCY) and the network, or raise the"
              + " option 'timeout'.";
    } else if (reason == null) {
      what = "there is no connection.";
    } else {
      String refusal = refusal(root(reason));
      what =
          said(root(reason))
              + ". "
              + (refusal != null ? REFUSALS.get(refusal) : hint(root(reason)));
    }
    return new StoreUnavailableException(
        "Cannot " + attempted + " in " + url + ": " + what, reason);
  }

  private static String hint(Throwable root) {
    if (root instanceof RedisSettings.NoCredentialsException) {
      return "The next attempt asks it again.";
    }
    return root instanceof GeneralSecurityException || root instanceof SSLException
        ? "Look at the server's certificate and the options 'trustStore', 'keyStore' and 'verify'."
        : "Does a Redis server listen there, and does the network let it be reached?";
  }

  /** Whether the connection broke, was closed or could not take the command. */
  private static boolean isLoss(Throwable reason) {
    return reason instanceof IOException
        || reason instanceof CancellationException
        || reason instanceof RejectedExecutionException
        || (reason instanceof RedisException
            && !(reason instanceof RedisCommandExecutionException));
  }

  /** What the server says when it is not the question that is wrong; null if it does not. */
  private static @Nullable String refusal(Throwable reason) {
    // Up to Redis 6, what went wrong within a script comes behind the script's name.
    Matcher matcher = REFUSAL.matcher(String.valueOf(reason.getMessage()));
    return matcher.find() ? matcher.group(1) : null;
  }

  private static Throwable reason(Exception exception) {
    Throwable cause = exception.getCause();
    return exception instanceof ExecutionException && cause != null ? cause : exception;
  }

  private static Throwable root(Throwable throwable) {
    Throwable root = throwable;
    for (int depth = 0; depth < 20; depth++) {
      Throwable cause = root.getCause();
      if (cause == null) {
        break;
      }
      root = cause;
    }
    return root;
  }

  private static String said(Throwable throwable) {
    String message = throwable.getMessage();
    return message == null ? throwable.getClass().getSimpleName() : message;
  }
}
