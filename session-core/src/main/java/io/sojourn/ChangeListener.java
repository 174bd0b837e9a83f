package io.sojourn;

/**
 * Is told by a store that {@linkplain SessionStore#watch watches} which sessions change, as they
 * change.
 *
 * <p>Called by the store's threads, one at a time for each server; it must not wait.
 */
public interface ChangeListener {

  /** From now on every change is told, by whichever node. */
  void watching();

  /**
   * A session has changed, or was touched, renamed or removed.
   *
   * @param origin {@link SessionRecord#origin()}
   */
  void changed(SessionKey origin);

  /** Changes may not be told any more, and may have been missed, until {@link #watching()}. */
  void lost();

  /**
   * The servers cannot tell changes, now or later.
   *
   * @param why what they say
   */
  void refused(String why);
}
