package io.sojourn;

import java.util.Locale;
import java.util.ServiceLoader;
import java.util.TreeSet;

/** Finds the store that a URL names. */
public final class SessionStores {

  private SessionStores() {}

  /**
   * Opens the store of the provider that serves the URL's scheme.
   *
   * @param configuration which store, for whom
   * @param loader where to look for providers
   * @throws IllegalArgumentException if no provider serves the scheme, or the URL or an option is
   *     wrong
   */
  public static SessionStore open(StoreConfiguration configuration, ClassLoader loader) {
    String scheme = configuration.scheme().toLowerCase(Locale.ROOT);
    TreeSet<String> known = new TreeSet<>();
    for (SessionStoreProvider provider : ServiceLoader.load(SessionStoreProvider.class, loader)) {
      if (provider.schemes().contains(scheme)) {
        return provider.open(configuration);
      }
      known.addAll(provider.schemes());
    }
    throw new IllegalArgumentException(
        "store=\""
            + configuration.printableUrl()
            + "\": no store is known for the scheme '"
            + scheme
            + "'. Known here: "
            + String.join(", ", known)
            + ". A store's module has to lie beside session-core.");
  }
}
