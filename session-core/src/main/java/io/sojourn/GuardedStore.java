package io.sojourn;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A store that is not asked while it does not answer, so that a store that hangs does not take a
 * thread of every request. Once it is silent, one call at a time goes through to see whether it is
 * back; all others fail at once. One that gets stuck itself keeps the next from going through for a
 * while only: a second for each call that is under way. Where failing at once costs nobody an
 * answer, none goes through for a pause after each that has failed.
 *
 * <p>It is silent when a call has failed after waiting, or when {@value #WAITING} calls have been
 * waiting for more than a second, and no other call has been answered since they began. Until its
 * first answer only the former counts: the first connection may take its time.
 *
 * <p>Thread-safe.
 */
final class GuardedStore implements SessionStore {

  private static final int WAITING = 3;
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  /** A failure that came sooner cost nobody much. */
  private static final Duration WAITED = Duration.ofMillis(250);

  private final SessionStore inner;
  private final Duration pause;
  private final Runnable onAnswer;
  private final LongSupplier nanoTime;
  private final Set<Call> calls = ConcurrentHashMap.newKeySet();

  /** Guards the decision who goes through, and what it is made by. */
  private final Object lock = new Object();

  private volatile boolean answered;
  private volatile long lastAnswer;
  private volatile boolean silent;
  private volatile long lastFailure;

  private final LongAdder asked = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private final LongAdder nanos = new LongAdder();
  private final LongAdder bytesLoaded = new LongAdder();
  private final LongAdder bytesSaved = new LongAdder();

  /** A call that is under way. Each is itself only. */
  private static final class Call {
    final long begin;

    Call(long begin) {
      this.begin = begin;
    }
  }

  GuardedStore(SessionStore inner) {
    this(inner, Duration.ZERO, () -> {}, System::nanoTime);
  }

  /**
   * A guard.
   *
   * @param pause for how long a silent store is not asked again
   * @param onAnswer called whenever the store has answered
   */
  GuardedStore(SessionStore inner, Duration pause, Runnable onAnswer) {
    this(inner, pause, onAnswer, System::nanoTime);
  }

  /** A guard with a clock of its own, for tests. */
  GuardedStore(SessionStore inner, Duration pause, Runnable onAnswer, LongSupplier nanoTime) {
    this.inner = inner;
    this.pause = pause;
    this.onAnswer = onAnswer;
    this.nanoTime = nanoTime;
    this.lastAnswer = nanoTime.getAsLong();
  }

  private <T> T ask(Supplier<T> question) {
    asked.increment();
    Call call;
    try {
      call = begin();
    } catch (StoreUnavailableException e) {
      failures.increment();
      throw e;
    }
    try {
      T answer = question.get();
      answered();
      return answer;
    } catch (StoreUnavailableException e) {
      failures.increment();
      failed(call);
      throw e;
    } catch (SessionException e) {
      answered();
      throw e;
    } finally {
      calls.remove(call);
      nanos.add(nanoTime.getAsLong() - call.begin);
    }
  }

  private Call begin() {
    Call call = new Call(nanoTime.getAsLong());
    if (!silent && !isSilent(call.begin)) {
      calls.add(call);
      return call;
    }
    synchronized (lock) {
      boolean paused = !pause.isZero() && silent && call.begin - lastFailure < pause.toNanos();
      if ((mayLook(call.begin) && !paused) || !(silent || isSilent(call.begin))) {
        calls.add(call);
        return call;
      }
    }
    throw new StoreUnavailableException(
        "The session store does not answer. It is asked again by one request at a time until it"
            + " does",
        null);
  }

  /**
   * Whether no call is under way that is likely to find out yet. The more are stuck, the longer the
   * next one waits, so that they stay few however long that lasts.
   */
  private boolean mayLook(long now) {
    long patience = PATIENCE.toNanos() * calls.size();
    return calls.stream().allMatch(call -> now - call.begin > patience);
  }

  /** Whether so many calls wait for so long that the next one would do no better. */
  private boolean isSilent(long now) {
    if (!answered || now - lastAnswer < PATIENCE.toNanos()) {
      return false;
    }
    int waiting = 0;
    for (Call call : calls) {
      if (now - call.begin > PATIENCE.toNanos() && call.begin - lastAnswer > 0) {
        waiting++;
      }
    }
    return waiting >= WAITING;
  }

  private void answered() {
    answered = true;
    lastAnswer = nanoTime.getAsLong();
    silent = false;
    onAnswer.run();
  }

  private void failed(Call call) {
    boolean othersAnswered = answered && lastAnswer - call.begin > 0;
    lastFailure = nanoTime.getAsLong();
    if (!othersAnswered && nanoTime.getAsLong() - call.begin > WAITED.toNanos()) {
      silent = true;
    }
  }

  /** What was asked so far. */
  StoreStatistics statistics() {
    return new StoreStatistics(
        asked.sum(),
        failures.sum(),
        Duration.ofNanos(nanos.sum()),
        bytesLoaded.sum(),
        bytesSaved.sum());
  }

  private void countSaved(SessionDelta delta) {
    for (AttributeChange change : delta.changes().values()) {
      change.written().ifPresent(value -> bytesSaved.add(value.size()));
    }
  }

  private void countLoaded(Collection<StoredAttribute> attributes) {
    attributes.forEach(attribute -> bytesLoaded.add(attribute.value().size()));
  }

  @Override
  public boolean create(NewSession session) {
    session.attributes().values().forEach(value -> bytesSaved.add(value.size()));
    return ask(() -> inner.create(session));
  }

  @Override
  public LoadResult load(SessionKey key, long knownVersion, Duration unasked) {
    LoadResult result = ask(() -> inner.load(key, knownVersion, unasked));
    if (result instanceof LoadResult.Found found) {
      countLoaded(found.session().attributes().values());
    } else if (result instanceof LoadResult.Changed changed) {
      countLoaded(changed.set().values());
    }
    return result;
  }

  @Override
  public OptionalLong save(SessionDelta delta) {
    countSaved(delta);
    return ask(() -> inner.save(delta));
  }

  @Override
  public OptionalLong save(SessionDelta delta, long holder) {
    countSaved(delta);
    return ask(() -> inner.save(delta, holder));
  }

  @Override
  public Lease lease(SessionKey key, long holder, Duration leaseTime) {
    return ask(() -> inner.lease(key, holder, leaseTime));
  }

  @Override
  public void release(SessionKey origin, long holder) {
    var unused =
        ask(
            () -> {
              inner.release(origin, holder);
              return true;
            });
  }

  @Override
  public boolean rename(SessionKey key, SessionKey newKey) {
    return ask(() -> inner.rename(key, newKey));
  }

  @Override
  public boolean canRename(SessionKey key, SessionKey newKey) {
    return inner.canRename(key, newKey);
  }

  @Override
  public boolean remove(SessionKey origin) {
    return ask(() -> inner.remove(origin));
  }

  @Override
  public List<SessionKey> findByPrincipal(PrincipalKey principal, int limit) {
    return ask(() -> inner.findByPrincipal(principal, limit));
  }

  /** Not guarded, nor counted: no request waits for it, and it may rightly take long. */
  @Override
  public List<SessionRecord> claimExpired(int limit, Duration claimTime) {
    return inner.claimExpired(limit, claimTime);
  }

  /** Not guarded, nor counted: no request waits for it. */
  @Override
  public boolean isEmpty() {
    return inner.isEmpty();
  }

  @Override
  public @Nullable Runnable watch(ChangeListener listener) {
    return inner.watch(listener);
  }

  @Override
  public long history(SessionKey key) {
    return inner.history(key);
  }

  @Override
  public Optional<String> refusal(String name, EncodedValue value) {
    return inner.refusal(name, value);
  }

  @Override
  public void ping() {
    inner.ping();
  }

  @Override
  public void close() {
    inner.close();
  }
}
