package io.sojourn;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the sessions of one application outside the JVM, as bytes: it knows neither containers nor
 * classes.
 *
 * <p>Every call is atomic, one round trip where the store can, and safe to repeat when its answer
 * was lost. The clock is the store's own, so nodes whose clocks disagree agree on what has expired.
 * A session expires when its {@linkplain IdleTimeout#timeToLive() time to live} has passed since
 * the last access that the store knows of.
 *
 * <p>A session has two keys. {@link #load} goes by the key of its present id, which {@link #rename}
 * replaces; {@link #save} and {@link #remove} go by its origin, the key it was created under. So a
 * request that loaded a session before another one changed its id still reaches it, while nobody
 * can open it by the old id any more.
 *
 * <p>Thread-safe. Whatever the store cannot be asked for ends in a {@link
 * StoreUnavailableException}, never in an answer that looks like a missing session.
 */
public interface SessionStore extends AutoCloseable {

  /** The lowest version that a session may have. */
  long FIRST_VERSION = 1;

  /** A {@code knownVersion} for a caller that knows nothing of the session yet. */
  long NO_VERSION = 0;

  /** No {@code holder} of a lease. */
  long NO_HOLDER = 0;

  /** For how long a caller that was answered {@link Lease#BUSY} is the next to be given a lease. */
  Duration TURN_TIME = Duration.ofSeconds(1);

  /**
   * For how many versions a removed attribute leaves a mark. A caller whose version is older than
   * that gets the whole session, so marks may be dropped.
   */
  int REMOVAL_MARK_VERSIONS = 128;

  /**
   * Creates a session. Its version is the one that it is given, its last access now.
   *
   * @return false if the key is taken: by a session, by one that has expired and is not yet
   *     removed, or as the origin of one that was renamed; nothing is written then
   * @throws StoreUnavailableException if the store cannot be asked
   */
  boolean create(NewSession session);

  /**
   * Answers what changed since a known version, to a caller who asks again at the next access.
   *
   * @param key the key of the session's present id
   * @param knownVersion the version that the caller has; {@link #NO_VERSION} if none
   * @return what {@link #load(SessionKey, long, Duration)} answers
   * @throws StoreUnavailableException if the store cannot be asked
   */
  default LoadResult load(SessionKey key, long knownVersion) {
    return load(key, knownVersion, Duration.ZERO);
  }

  /**
   * Answers what changed since a known version. A session that has expired, or that has been
   * claimed, is missing.
   *
   * <p>A load is an access: if the last access that the store holds will be older than the
   * session's touch interval before the caller asks again, it becomes now.
   *
   * @param key the key of the session's present id
   * @param knownVersion the version that the caller has; {@link #NO_VERSION} if none
   * @param unasked for how long the caller may use the session without asking again
   * @return the whole session if no version is known, if more than {@link #REMOVAL_MARK_VERSIONS}
   *     lie between, or if the known version is newer than the store's
   * @throws StoreUnavailableException if the store cannot be asked
   */
  LoadResult load(SessionKey key, long knownVersion, Duration unasked);

  /**
   * Applies a delta, raises the version by one and moves the last access to {@code now - idle},
   * never back. A {@linkplain SessionDelta#isTouch() touch} keeps the version.
   *
   * @return the session's version after this save; empty if there is no such session any more
   *     (removed, or claimed after it had expired), and then nothing is written
   * @throws StoreUnavailableException if the store cannot be asked; the delta may then have been
   *     applied or not, never in part
   */
  OptionalLong save(SessionDelta delta);

  /**
   * The sessions of one user of the application, by what was last created or saved of who is logged
   * in: those that can be loaded, not the expired ones.
   *
   * @param principal somebody
   * @param limit how many at the most, 1 or more
   * @return the keys of their present ids, in no order
   * @throws UnsupportedOperationException if the store keeps no track of that, as one may that was
   *     written for an earlier release
   * @throws IllegalArgumentException if it is {@link PrincipalKey#NOBODY}
   * @throws StoreUnavailableException if the store cannot be asked
   */
  default List<SessionKey> findByPrincipal(PrincipalKey principal, int limit) {
    throw new UnsupportedOperationException(
        "The sessions of a user cannot be looked up: "
            + getClass().getName()
            + " does not implement findByPrincipal");
  }

  /**
   * Whether no session is left: none that lives, and none that has expired and has not been removed
   * yet. Nothing waits for the answer, so it may take more than one round trip.
   *
   * @return false, unless a store says otherwise
   * @throws StoreUnavailableException if the store cannot be asked
   */
  default boolean isEmpty() {
    return false;
  }

  /** What {@link #lease} answers. */
  enum Lease {
    /** The caller has it. */
    TAKEN,
    /** Somebody else has it, or is to have it next. */
    BUSY,
    /** There is no such session. */
    MISSING
  }

  /**
   * Takes or renews the lease of a session: of those who ask for one, one at a time has it. It ends
   * when it is released, or by the store's clock, so that no node that has died keeps it.
   *
   * <p>A caller that is refused is the next one to be given it if nobody else is, for {@link
   * #TURN_TIME} from each time that it asks again. So nobody who keeps asking waits for ever while
   * others come and go.
   *
   * @param key the key of the session's present id
   * @param holder a random number that stands for the caller, never {@link #NO_HOLDER}
   * @param leaseTime for how long
   * @throws StoreUnavailableException if the store cannot be asked
   */
  Lease lease(SessionKey key, long holder, Duration leaseTime);

  /**
   * Ends a lease if this holder has it.
   *
   * @param origin {@link SessionRecord#origin()}
   * @throws StoreUnavailableException if the store cannot be asked
   */
  void release(SessionKey origin, long holder);

  /**
   * Saves as {@link #save(SessionDelta)} does, if nobody has taken the lease from this holder
   * meanwhile.
   *
   * @throws SessionBusyException if it is not the holder's any more; nothing is written then
   * @throws StoreUnavailableException if the store cannot be asked; the delta may then have been
   *     applied or not, never in part
   */
  OptionalLong save(SessionDelta delta, long holder);

  /**
   * Makes the session that goes by one key go by another. Version and last access stay.
   *
   * @return false, and nothing has changed, if no session goes by {@code key} or {@code newKey} is
   *     taken
   * @throws IllegalArgumentException if it {@linkplain #canRename may not}
   * @throws StoreUnavailableException if the store cannot be asked
   */
  boolean rename(SessionKey key, SessionKey newKey);

  /**
   * Whether a session that goes by one key may go by another. Not by any where the store has to
   * keep both in one place, such as a slot of a Redis cluster. Whoever makes up new ids does so
   * until one will do, which takes some dozens of attempts on average. Asks no server.
   *
   * @return true, unless a store says otherwise
   */
  default boolean canRename(SessionKey key, SessionKey newKey) {
    return true;
  }

  /**
   * Removes a session, claimed or not.
   *
   * @param origin {@link SessionRecord#origin()}
   * @return true for exactly one caller
   * @throws StoreUnavailableException if the store cannot be asked
   */
  boolean remove(SessionKey origin);

  /**
   * Claims sessions that have expired, for the caller to tell their listeners and then {@link
   * #remove} them. Each is given to one caller. If it has not been removed when the claim ends,
   * because its node died, the next caller may claim it.
   *
   * @param limit how many at the most, 1 or more. A store may answer fewer than there are, so as
   *     not to hold all that they contain at once, but none only if there is none
   * @param claimTime how long the caller's claim holds
   * @throws StoreUnavailableException if the store cannot be asked
   */
  List<SessionRecord> claimExpired(int limit, Duration claimTime);

  /**
   * Has the store tell which sessions change, as they change, until that is ended or the store is
   * closed.
   *
   * @return what ends it, which is repeatable and never throws; null if the store cannot do that:
   *     then nothing is told. If not null, the listener is going to be told whether it can
   */
  default @Nullable Runnable watch(ChangeListener listener) {
    return null;
  }

  /**
   * Which history of a session the store goes on with: a number that grows whenever the store may
   * have lost saves that it had acknowledged, as it may when another server takes the place of the
   * one that it asked, or the same one has been started again. Versions of one history tell which
   * of two states is the later one; those of two histories tell nothing.
   *
   * <p>Asked before and after each {@link #load} and {@link #save}, and before a copy is used
   * without either; so it asks no server. It has grown by the time that a call returns which was
   * answered out of the new history. To grow without need costs a whole load of each copy, which is
   * right where a store cannot know.
   *
   * @param key the key of the session's present id
   * @return always the same number, unless a store says otherwise
   */
  default long history(SessionKey key) {
    return 0;
  }

  /**
   * Why the store cannot keep this attribute: its name or its value is too long. Asked before each
   * save, so that one such attribute is left out and holds up no other. Nothing is sent for it.
   *
   * @param name the attribute's name
   * @param value the encoded attribute
   * @return what is wrong, to follow the name in a message; empty if it can be kept
   */
  default Optional<String> refusal(String name, EncodedValue value) {
    return Optional.empty();
  }

  /**
   * Asks the store whether it is there.
   *
   * @throws StoreUnavailableException if the store cannot be asked; the message says what to look
   *     at
   */
  void ping();

  /** Lets go of connections and threads. Repeatable; other calls fail afterwards. Never throws. */
  @Override
  void close();
}
