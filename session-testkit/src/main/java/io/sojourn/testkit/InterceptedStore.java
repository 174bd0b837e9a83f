package io.sojourn.testkit;

import io.sojourn.ChangeListener;
import io.sojourn.EncodedValue;
import io.sojourn.LoadResult;
import io.sojourn.NewSession;
import io.sojourn.PrincipalKey;
import io.sojourn.SessionDelta;
import io.sojourn.SessionKey;
import io.sojourn.SessionRecord;
import io.sojourn.SessionStore;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** A store that hands each call on to another after a look at it. Thread-safe if the look is. */
abstract class InterceptedStore implements SessionStore {

  private final SessionStore inner;

  InterceptedStore(SessionStore inner) {
    this.inner = inner;
  }

  /**
   * Told before each call.
   *
   * @param operation the method's name
   */
  abstract void before(String operation);

  /**
   * Told when a call has been answered.
   *
   * @param operation the method's name
   */
  void after(String operation) {}

  /** Told what a lease's call has been answered. */
  void leased(Lease answer) {}

  @Override
  public final boolean create(NewSession session) {
    before("create");
    boolean created = inner.create(session);
    after("create");
    return created;
  }

  @Override
  public final LoadResult load(SessionKey key, long knownVersion, Duration unasked) {
    before("load");
    LoadResult loaded = inner.load(key, knownVersion, unasked);
    after("load");
    return loaded;
  }

  @Override
  public final OptionalLong save(SessionDelta delta) {
    before("save");
    OptionalLong saved = inner.save(delta);
    after("save");
    return saved;
  }

  @Override
  public final OptionalLong save(SessionDelta delta, long holder) {
    before("save");
    OptionalLong saved = inner.save(delta, holder);
    after("save");
    return saved;
  }

  @Override
  public final Lease lease(SessionKey key, long holder, Duration leaseTime) {
    before("lease");
    Lease answer = inner.lease(key, holder, leaseTime);
    leased(answer);
    return answer;
  }

  @Override
  public final void release(SessionKey origin, long holder) {
    before("release");
    inner.release(origin, holder);
  }

  @Override
  public final boolean rename(SessionKey key, SessionKey newKey) {
    before("rename");
    return inner.rename(key, newKey);
  }

  @Override
  public final boolean canRename(SessionKey key, SessionKey newKey) {
    return inner.canRename(key, newKey);
  }

  @Override
  public final boolean remove(SessionKey origin) {
    before("remove");
    return inner.remove(origin);
  }

  @Override
  public final List<SessionRecord> claimExpired(int limit, Duration claimTime) {
    before("claimExpired");
    return inner.claimExpired(limit, claimTime);
  }

  @Override
  public final List<SessionKey> findByPrincipal(PrincipalKey principal, int limit) {
    before("findByPrincipal");
    return inner.findByPrincipal(principal, limit);
  }

  @Override
  public final boolean isEmpty() {
    before("isEmpty");
    return inner.isEmpty();
  }

  @Override
  public @Nullable Runnable watch(ChangeListener listener) {
    return inner.watch(listener);
  }

  @Override
  public final long history(SessionKey key) {
    return inner.history(key);
  }

  @Override
  public final Optional<String> refusal(String name, EncodedValue value) {
    return inner.refusal(name, value);
  }

  @Override
  public final void ping() {
    before("ping");
    inner.ping();
  }

  @Override
  public final void close() {
    inner.close();
  }
}
