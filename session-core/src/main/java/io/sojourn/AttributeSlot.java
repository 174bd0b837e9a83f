package io.sojourn;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One attribute of a live session: its value, the bytes it came from, and what happened to it
 * since.
 *
 * <p>Thread-safe. Its monitor is the innermost lock; it is held while the codec decodes, so that
 * every reader gets the same object.
 */
final class AttributeSlot {

  /*
   * Whether a value that was read has changed is judged twice. Most types encode to the bytes that they were decoded from.
   * Some do not the first time (a hash map's order depends on how it grew), so a mismatch is judged again against what the
   * stored bytes become when they are decoded and encoded here. That encoding is kept: its price is paid once a copy.
   *
   * A value that was found unchanged is watched from then on: while the codec can tell without encoding that it has not changed
   * since, what it was encoded to is taken for what it is encoded to now.
   *
   * What is compared is what the codec has encoded, not what is stored, which may be sealed (encrypted) differently each
   * time. Where nothing is sealed both are one object.
   *
   * A detected change is sent on condition that nobody has written the attribute since. A save that was not alone does not say
   * whether the condition held: that is an attempt, and the next one is sent on condition that it was applied. A refresh tells by
   * its version: that of an attempt says that it was applied and nothing of later ones, any other later than what is known here
   * says that none was, or none lasts.
   */

  /** Of several requests that each held on to another one, the latest. */
  private static final int MOST_REPLACED = 8;

  /** More than the saves that are answered while one load is under way. */
  private static final int MOST_ATTEMPTS = 64;

  /** In place of a value that has to be told first that it is active. */
  static final Object UNTOLD = new Object();

  private final String name;

  // Whether it is among its session's TouchedSlots, and which comes after it: they alone use these.
  boolean isListed;

  @Nullable AttributeSlot nextListed;

  /** The bytes in the store as of {@link #version}; null if it is not there. */
  @GuardedBy("this")
  private @Nullable EncodedValue stored;

  /** What is in {@link #stored}, as the codec has encoded it; null while it has not been opened. */
  @GuardedBy("this")
  private @Nullable EncodedValue encoded;

  /** The session's version that wrote or removed it, as far as this node knows; 0 for none. */
  @GuardedBy("this")
  private long version;

  /**
   * What {@link #stored} becomes when it is decoded and encoded on this node; null while not known.
   */
  @GuardedBy("this")
  private @Nullable EncodedValue storedAsEncodedHere;

  /** What the latest attempt sent, before it was sealed; null if there is none. */
  @GuardedBy("this")
  private @Nullable EncodedValue attemptedEncoded;

  /** The versions that the attempts have in the store if they were applied, the latest last. */
  @GuardedBy("this")
  private List<Long> attempts = List.of();

  /** A detected change that is being sent; null if a refresh has told since what became of it. */
  @GuardedBy("this")
  private @Nullable Capture sent;

  /** The object that the application sees; null while not decoded, and after a removal. */
  @GuardedBy("this")
  private @Nullable Object value;

  /** Whether {@link #value} has been told that it is active, if it wants to be. */
  @GuardedBy("this")
  private boolean active;

  /** Who is telling it. */
  @GuardedBy("this")
  private @Nullable Thread activating;

  /** The value that was last asked about, and what was said of it. */
  @GuardedBy("this")
  private @Nullable Object judged;

  @GuardedBy("this")
  private boolean immutable;

  /** Whether it wants to be told that it is active. */
  @GuardedBy("this")
  private boolean wantsToBeTold;

  /** The value, if it was found unchanged when it was last checked. */
  @GuardedBy("this")
  private @Nullable Object foundUnchanged;

  @GuardedBy("this")
  private @Nullable Watched watched;

  /** The value, if it cannot be watched. */
  @GuardedBy("this")
  private @Nullable Object unwatchable;

  @GuardedBy("this")
  private boolean removed;

  /** Whether an object that can change was handed out since the last request ended. */
  @GuardedBy("this")
  private boolean handedOut;

  /**
   * Objects that a refresh has taken the place of, and that somebody may still change who was given
   * them by a copy that was not known to be current. What is changed in them is later than what the
   * refresh has brought.
   */
  @GuardedBy("this")
  private List<Replaced> replaced = List.of();

  /**
   * Counts sets and removals; {@link #settled} is the last of them that needs no saving any more.
   */
  @GuardedBy("this")
  private long changes;

  @GuardedBy("this")
  private long settled;

  /** Out of its session's map for good: who still holds it must look again. */
  @GuardedBy("this")
  private boolean detached;

  @GuardedBy("this")
  private boolean reported;

  /** A slot for an attribute that is not there yet. */
  AttributeSlot(String name) {
    this.name = name;
  }

  /** A slot for an attribute as loaded. */
  AttributeSlot(String name, StoredAttribute attribute) {
    this.name = name;
    this.stored = attribute.value();
    this.version = attribute.version();
  }

  String name() {
    return name;
  }

  synchronized boolean isPresent() {
    return !removed && (value != null || stored != null);
  }

  /** How many bytes it takes in the store. */
  synchronized int storedBytes() {
    return stored == null ? 0 : stored.size();
  }

  /** Whether a flush has to look at it. */
  synchronized boolean isTouched() {
    return handedOut || isPending() || !replaced.isEmpty();
  }

  /** Whether it was set or removed, and that is neither saved nor known to be needless. */
  synchronized boolean isPending() {
    return changes != settled;
  }

  /** Whether a failure is the first since the attribute was last set or refreshed. */
  synchronized boolean isFirstFailure() {
    boolean first = !reported;
    reported = true;
    return first;
  }

  /**
   * The value, decoded if need be; null if it is not there; {@link #UNTOLD} if it has not been told
   * that it is active, nor is being told by this thread.
   *
   * @throws DecodeException if it cannot be decoded
   */
  synchronized @Nullable Object get(SessionCodec codec, AttributeActivation activation) {
    Object present = peek(codec);
    if (present == null) {
      return null;
    }
    judge(present, codec, activation);
    if (!handedOut) {
      handedOut = !immutable;
    }
    boolean isUntold = wantsToBeTold && !active && activating != Thread.currentThread();
    return isUntold ? UNTOLD : present;
  }

  /** They need not be asked at each request. */
  @GuardedBy("this")
  private void judge(Object present, SessionCodec codec, AttributeActivation activation) {
    if (judged != present) {
      immutable = codec.isImmutable(present);
      wantsToBeTold = activation.isWanted(present);
      judged = present;
    }
  }

  /** Somebody else is to be asked. */
  synchronized void forgetJudgement() {
    judged = null;
  }

  /**
   * The value for a caller who will not change it, decoded if need be; null if it is not there.
   *
   * @throws DecodeException if it cannot be decoded
   */
  synchronized @Nullable Object peek(SessionCodec codec) {
    if (value == null && !removed && stored != null) {
      EncodedValue opened = encoded == null ? codec.open(name, stored) : encoded;
      value = codec.decode(opened);
      encoded = opened;
      active = false;
    }
    return value;
  }

  /**
   * Tells the value that it is active, unless it knows. The caller holds the session's flush lock.
   */
  void activate(SessionCodec codec, AttributeActivation activation) {
    Object decoded;
    synchronized (this) {
      decoded = value;
      if (decoded == null || active || activating != null) {
        return;
      }
      activating = Thread.currentThread();
    }
    EncodedValue asEncodedHere = null;
    try {
      activation.didActivate(decoded);
      asEncodedHere = encodedAsItIs(decoded, codec);
    } finally {
      synchronized (this) {
        activating = null;
        if (value == decoded) {
          active = true;
          storedAsEncodedHere = asEncodedHere;
        }
      }
    }
  }

  /** Tells the value that this node lets go of it, if it is here and wants to know. */
  void passivate(AttributeActivation activation) {
    Object told;
    synchronized (this) {
      told = active ? value : null;
    }
    if (told != null && activation.isWanted(told)) {
      activation.willPassivate(told);
    }
  }

  /** Null if it cannot be encoded: it may hold something that it lets go of when it is told to. */
  private static @Nullable EncodedValue encodedAsItIs(Object present, SessionCodec codec) {
    try {
      return codec.encodeToCompare(present);
    } catch (EncodeException e) {
      return null;
    }
  }

  /** Sets the value, which who sets it may go on changing; false if the slot is detached. */
  synchronized boolean set(Object newValue, SessionCodec codec, AttributeActivation activation) {
    if (detached) {
      return false;
    }
    value = newValue;
    active = true;
    judge(newValue, codec, activation);
    handedOut = !immutable;
    removed = false;
    reported = false;
    changes++;
    return true;
  }

  /**
   * Removes the value; false if it was not there.
   *
   * @param anyway even if it is not there, as far as this copy knows
   */
  synchronized boolean remove(boolean anyway) {
    if (detached || (!isPresent() && !anyway)) {
      return false;
    }
    dropValue();
    removed = true;
    handedOut = false;
    changes++;
    return true;
  }

  /** With all that is known of it. */
  @GuardedBy("this")
  private void dropValue() {
    value = null;
    forgetOtherValues();
  }

  /** Holds on to no other value than the present one. */
  @GuardedBy("this")
  private void forgetOtherValues() {
    // Most requests end here with nothing to forget, and to write what is there costs a collector's
    // barrier each time.
    if (judged != value) {
      judged = null;
    }
    if (foundUnchanged != value) {
      foundUnchanged = null;
    }
    if (unwatchable != value) {
      unwatchable = null;
    }
    if (watched != null && watched.value != value) {
      watched = null;
    }
  }

  /**
   * The requests that it was handed out to are over.
   *
   * @return whether the slot is of no more use and leaves its session's map
   */
  synchronized boolean forgetHandedOut() {
    handedOut = false;
    if (!replaced.isEmpty()) {
      replaced = List.of();
    }
    forgetOtherValues();
    detached |= stored == null && value == null && changes == settled;
    return detached;
  }

  /**
   * What a save has to do with it; null if nothing. The caller holds the session's flush lock.
   *
   * @param activation tells a value that is about to be encoded for the store
   * @param checkHandedOut whether a value that was handed out is checked for changes
   * @param current whether this copy was the current one when it was opened. If not, what looks
   *     needless by it is left for later: {@link #isTouched()} stays true; and a change in place is
   *     a fact as a set is
   * @throws EncodeException if the value cannot be encoded
   */
  @Nullable Capture capture(
      SessionCodec codec, AttributeActivation activation, boolean checkHandedOut, boolean current) {
    if (checkHandedOut) {
      if (isFoundUnchangedAgain()) {
        return null;
      }
      putBackChanged(codec, activation);
    }
    Object captured;
    long capturedChanges;
    boolean pending;
    synchronized (this) {
      pending = changes != settled;
      if (pending && removed) {
        if (stored == null) {
          // Set and removed between two saves, or never there.
          settled = current ? changes : settled;
          return null;
        }
        return new Capture(this, new AttributeChange.Remove(), null, null, null, changes);
      }
      if (value == null || !(pending || (handedOut && checkHandedOut))) {
        return null;
      }
      captured = value;
      capturedChanges = changes;
    }
    // The application's own code runs here: no lock of ours but the flush lock is held.
    boolean told = activation.isWanted(captured);
    EncodedValue asEncodedHere = told ? encodedAsItIs(captured, codec) : null;
    EncodedValue now;
    if (!told) {
      now = encodedNow(captured, pending, codec);
    } else if (asEncodedHere != null && isCurrentlyStored(asEncodedHere, codec)) {
      now = asEncodedHere;
    } else {
      now = passivated(captured, codec, activation);
    }
    synchronized (this) {
      if (pending && !detached) {
        // Whatever was set meanwhile: who set this one is answered after this save, and the other
        // one's setter maybe much later.
        boolean needless = isCurrentlyStored(now, codec);
        found(captured, needless, now);
        if (needless) {
          settled = current ? capturedChanges : settled;
          return null;
        }
        AttributeChange set = new AttributeChange.Set(codec.seal(name, now));
        return new Capture(this, set, captured, now, asEncodedHere, capturedChanges);
      }
      if (value == captured && changes == capturedChanges) {
        boolean unchanged =
            attempts.isEmpty()
                ? isCurrentlyStored(now, codec)
                    || (sent == null && !told && isUnchanged(now, codec))
                : now.equals(attemptedEncoded);
        found(captured, unchanged, now);
        if (unchanged) {
          return null;
        }
        EncodedValue sealed = codec.seal(name, now);
        if (current) {
          long expected = attempts.isEmpty() ? version : attempts.get(attempts.size() - 1);
          AttributeChange change = new AttributeChange.Replace(sealed, expected);
          sent = new Capture(this, change, captured, now, asEncodedHere, changes);
          return sent;
        }
        // As if it were set: no refresh takes it away before it is saved.
        changes++;
        return new Capture(
            this, new AttributeChange.Set(sealed), captured, now, asEncodedHere, changes);
      }
    }
    // A refresh or a set has taken its place meanwhile, and what it is compared with.
    return capture(codec, activation, checkHandedOut, current);
  }

  /** Whether there is nothing here but a value that is watched and has not changed: the usual. */
  private boolean isFoundUnchangedAgain() {
    Watched known;
    synchronized (this) {
      known = watched;
      if (known == null || !isAllThereIs(known)) {
        return false;
      }
    }
    if (!known.unchanged.getAsBoolean()) {
      return false;
    }
    synchronized (this) {
      return isAllThereIs(known);
    }
  }

  /** Whether the value is this one, was encoded to what is stored, and nothing else happened. */
  @GuardedBy("this")
  @SuppressWarnings("ReferenceEquality")
  private boolean isAllThereIs(Watched known) {
    return watched == known
        && known.value == value
        && changes == settled
        && sent == null
        && attempts.isEmpty()
        && replaced.isEmpty()
        && (known.encoded == encoded || known.encoded == storedAsEncodedHere);
  }

  /** What a value is encoded to now. It is not encoded anew while nothing in it has changed. */
  private EncodedValue encodedNow(Object captured, boolean pending, SessionCodec codec) {
    Watched known;
    boolean watch;
    synchronized (this) {
      known = watched != null && watched.value == captured ? watched : null;
      watch = known == null && foundUnchanged == captured && unwatchable != captured;
    }
    if (known != null && known.unchanged.getAsBoolean()) {
      return known.encoded;
    }
    synchronized (this) {
      watched = null;
    }
    Optional<BooleanSupplier> sinceNow = watch ? codec.watch(captured) : Optional.empty();
    EncodedValue now = pending ? codec.encode(captured) : codec.encodeToCompare(captured);
    // What has changed in between may change back, and would be as it was before it was encoded.
    Watched begun =
        sinceNow
            .filter(BooleanSupplier::getAsBoolean)
            .map(unchanged -> new Watched(captured, unchanged, now))
            .orElse(null);
    synchronized (this) {
      watched = begun;
      unwatchable = watch && sinceNow.isEmpty() ? captured : unwatchable;
    }
    return now;
  }

  /** A value has been compared with what is stored. One that has not changed may be watched. */
  @GuardedBy("this")
  private void found(Object compared, boolean unchanged, EncodedValue now) {
    if (!unchanged) {
      foundUnchanged = null;
      watched = null;
      return;
    }
    if (foundUnchanged != compared) {
      foundUnchanged = compared;
    }
    EncodedValue kept = now.equals(encoded) ? encoded : storedAsEncodedHere;
    if (watched != null && kept != null && now.equals(kept)) {
      // Not one more copy of the same bytes.
      watched.encoded = kept;
    }
  }

  /**
   * What was captured could not be saved: a change in place counts as a set from now on, and does
   * not yield to news that come later, nor to what a refresh has brought since it was captured,
   * unless that is that the save was applied.
   */
  synchronized void keep(Capture capture) {
    if (!(capture.change instanceof AttributeChange.Replace)
        || changes != capture.changes
        || detached) {
      return;
    }
    if (!capture.equals(sent)) {
      if (capture.value == null || Objects.equals(capture.encoded, encoded)) {
        return;
      }
      value = capture.value;
      active = true;
      handedOut = true;
      removed = false;
    }
    changes++;
  }

  /** Takes up again what was changed after a refresh had taken its place. */
  private void putBackChanged(SessionCodec codec, AttributeActivation activation) {
    List<Replaced> all;
    synchronized (this) {
      all = replaced;
    }
    for (Replaced one : all) {
      if (one.isChanged(codec, activation.isWanted(one.value))) {
        synchronized (this) {
          replaced = replaced.stream().filter(other -> other != one).toList();
          if (changes == settled) {
            value = one.value;
            active = true;
            handedOut = true;
            removed = false;
            changes++;
          }
        }
        return;
      }
    }
  }

  /** The value as it is when it has been told that it leaves for the store. It stays, too. */
  private static EncodedValue passivated(
      Object present, SessionCodec codec, AttributeActivation activation) {
    activation.willPassivate(present);
    try {
      return codec.encode(present);
    } finally {
      activation.didActivate(present);
    }
  }

  /** What is stored, as it was encoded; null if it is not there or cannot be opened. */
  @GuardedBy("this")
  private @Nullable EncodedValue baseline(SessionCodec codec) {
    if (encoded == null && stored != null) {
      encoded = codec.tryOpen(name, stored).orElse(null);
    }
    return encoded;
  }

  /**
   * Whether this is what the store has, or what it becomes when it is decoded here. Nobody knows
   * while it is not known what became of a change that was sent.
   */
  private synchronized boolean isCurrentlyStored(EncodedValue now, SessionCodec codec) {
    return attempts.isEmpty()
        && sent == null
        && (now.equals(baseline(codec)) || now.equals(storedAsEncodedHere));
  }

  @GuardedBy("this")
  private boolean isUnchanged(EncodedValue now, SessionCodec codec) {
    EncodedValue baseline = baseline(codec);
    if (baseline == null) {
      return false;
    }
    if (storedAsEncodedHere == null) {
      try {
        storedAsEncodedHere = codec.reencodeToCompare(baseline);
      } catch (DecodeException | EncodeException e) {
        return false;
      }
    }
    return now.equals(storedAsEncodedHere);
  }

  /**
   * A save has been applied.
   *
   * @param capture what it did to this slot
   * @param newVersion the session's version after it
   * @param alone whether nobody else has saved since the version that this node knew
   * @param anyway even if the version is older than the one here: the store may have gone back
   * @return whether the slot is of no more use and leaves its session's map
   */
  synchronized boolean saved(Capture capture, long newVersion, boolean alone, boolean anyway) {
    settled = capture.changes;
    if (newVersion < version && !anyway) {
      // What was written over it has been heard of before this answer came.
      if (changes == settled && !(capture.change instanceof AttributeChange.Replace)) {
        dropValue();
        removed = false;
        handedOut = false;
        detached = stored == null;
      }
      return detached;
    }
    if (capture.change instanceof AttributeChange.Set set) {
      store(set.value(), capture.encoded, newVersion);
      storedAsEncodedHere = capture.asEncodedHere;
    } else if (capture.change instanceof AttributeChange.Replace replace) {
      if (alone) {
        store(replace.value(), capture.encoded, newVersion);
        storedAsEncodedHere = capture.asEncodedHere;
      } else if (capture.equals(sent)) {
        attemptedEncoded = capture.encoded;
        attempts = added(attempts, newVersion, MOST_ATTEMPTS);
        sent = null;
      }
    } else {
      store(null, null, newVersion);
      // Not alone, an older answer may still be under way that knows it as set: the version here
      // outdoes it.
      detached = alone && changes == settled;
    }
    return detached;
  }

  /**
   * Takes over what the store answered, unless it is older than what is here. A value that waits to
   * be saved stays: it is later.
   *
   * @param incoming the attribute as stored
   * @param anyway even if it is older: the store itself has gone back
   * @param unasked whether what was handed out may have been known not to be current
   */
  synchronized void refresh(StoredAttribute incoming, boolean anyway, boolean unasked) {
    if (incoming.version() <= version && !anyway) {
      return;
    }
    int attempt = anyway ? -1 : attempts.indexOf(incoming.version());
    if (attempt >= 0 && attempt < attempts.size() - 1) {
      stored = incoming.value();
      encoded = null;
      version = incoming.version();
      storedAsEncodedHere = null;
      attempts = List.copyOf(attempts.subList(attempt + 1, attempts.size()));
      return;
    }
    EncodedValue opened = null;
    boolean same = true;
    Capture underWay = attempt >= 0 ? sent : null;
    if (incoming.value().equals(stored) && attempts.isEmpty() && sent == null) {
      opened = encoded;
    } else if (attempt >= 0) {
      opened = attemptedEncoded;
    } else if (sent != null && incoming.value().equals(sent.change.written().orElse(null))) {
      opened = sent.encoded;
    } else {
      same = false;
    }
    if (!same && unasked) {
      keepHandedOut();
    }
    store(incoming.value(), opened, incoming.version());
    sent = underWay;
    if (!same && changes == settled) {
      dropValue();
      removed = false;
      handedOut = false;
      reported = false;
    }
  }

  /**
   * Takes over that the store does not have it any more.
   *
   * @param removedBy the version that removed it
   * @param anyway even if that is older: the store itself has gone back
   * @param unasked whether what was handed out may have been known not to be current
   * @return whether the slot is of no more use and leaves its session's map
   */
  synchronized boolean refreshRemoved(long removedBy, boolean anyway, boolean unasked) {
    if (removedBy <= version && !anyway) {
      return false;
    }
    if (unasked) {
      keepHandedOut();
    }
    store(null, null, removedBy);
    if (changes == settled || removed) {
      settled = changes;
      dropValue();
      handedOut = false;
      detached = replaced.isEmpty();
    }
    return detached;
  }

  /** Keeps an object that is about to be replaced, for who may still change it. */
  @GuardedBy("this")
  private void keepHandedOut() {
    if (handedOut && value != null && encoded != null && changes == settled) {
      Replaced present = new Replaced(value, encoded, storedAsEncodedHere, attemptedEncoded);
      replaced = added(replaced, present, MOST_REPLACED);
    }
  }

  /** These and one more, of so many the latest. */
  private static <T> List<T> added(List<T> list, T last, int most) {
    List<T> more = new ArrayList<>(list.subList(list.size() == most ? 1 : 0, list.size()));
    more.add(last);
    return List.copyOf(more);
  }

  @GuardedBy("this")
  private void store(
      @Nullable EncodedValue newStored, @Nullable EncodedValue newEncoded, long newVersion) {
    stored = newStored;
    encoded = newEncoded;
    version = newVersion;
    storedAsEncodedHere = null;
    attemptedEncoded = null;
    attempts = List.of();
    sent = null;
  }

  /** A value that is not encoded again before it changes. */
  private static final class Watched {
    final Object value;

    /** Tells whether it is as it was when it was encoded. */
    final BooleanSupplier unchanged;

    /** What it was encoded to. */
    EncodedValue encoded;

    Watched(Object value, BooleanSupplier unchanged, EncodedValue encoded) {
      this.value = value;
      this.unchanged = unchanged;
      this.encoded = encoded;
    }
  }

  /** An object that was handed out and that a refresh has taken the place of. */
  private static final class Replaced {
    final Object value;

    /** What it was encoded to when it was handed out. */
    final EncodedValue encoded;

    final @Nullable EncodedValue asEncodedHere;
    final @Nullable EncodedValue attempted;

    Replaced(
        Object value,
        EncodedValue encoded,
        @Nullable EncodedValue asEncodedHere,
        @Nullable EncodedValue attempted) {
      this.value = value;
      this.encoded = encoded;
      this.asEncodedHere = asEncodedHere;
      this.attempted = attempted;
    }

    /**
     * Whether somebody has changed it; not one that cannot be encoded any more.
     *
     * @param told whether it has been told that it is active, which may have changed it
     */
    boolean isChanged(SessionCodec codec, boolean told) {
      try {
        EncodedValue now = codec.encodeToCompare(value);
        if (now.equals(encoded) || now.equals(asEncodedHere) || now.equals(attempted)) {
          return false;
        }
        return told ? asEncodedHere != null : !now.equals(codec.reencodeToCompare(encoded));
      } catch (EncodeException | DecodeException e) {
        return false;
      }
    }
  }

  /**
   * What a save does to one slot. Each is itself only.
   *
   * @param slot the slot
   * @param change what the store is to do
   * @param value the object that was captured; null if it was removed
   * @param encoded what is written, before it was sealed
   * @param asEncodedHere what a value that is told of its passivation is encoded to when it is
   *     active; null for all others
   * @param changes the slot's count of changes that this save settles
   */
  record Capture(
      AttributeSlot slot,
      AttributeChange change,
      @Nullable Object value,
      @Nullable EncodedValue encoded,
      @Nullable EncodedValue asEncodedHere,
      long changes) {

    @Override
    public boolean equals(@Nullable Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(this);
    }
  }
}
