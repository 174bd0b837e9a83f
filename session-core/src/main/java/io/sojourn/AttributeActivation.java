package io.sojourn;

/**
 * Tells attributes that want to know when they leave a node's memory for the store and when they
 * have come from there. Whatever an attribute throws when it is told is kept from the caller.
 *
 * <p>Thread-safe.
 */
public interface AttributeActivation {

  /** For attributes of which none wants to be told. */
  AttributeActivation NONE =
      new AttributeActivation() {
        @Override
        public boolean isWanted(Object value) {
          return false;
        }

        @Override
        public void didActivate(Object value) {}

        @Override
        public void willPassivate(Object value) {}
      };

  /** Whether this value wants to be told. Cheap enough to be asked at every read. */
  boolean isWanted(Object value);

  /** This value has been decoded, or encoded and goes on being used. */
  void didActivate(Object value);

  /** This value is about to be encoded for the store, or this node is about to let go of it. */
  void willPassivate(Object value);
}
