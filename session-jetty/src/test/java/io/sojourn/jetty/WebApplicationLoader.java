package io.sojourn.jetty;

import java.net.URL;
import java.net.URLClassLoader;

/** As Jetty's for a web application: its classes go before those of the same name outside. */
final class WebApplicationLoader extends URLClassLoader {

  private final String prefix;

  /**
   * A loader.
   *
   * @param prefix of the names of the web application's classes
   * @param place where they are
   */
  WebApplicationLoader(String prefix, URL place) {
    super(new URL[] {place}, WebApplicationLoader.class.getClassLoader());
    this.prefix = prefix;
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    if (!name.startsWith(prefix)) {
      return super.loadClass(name, resolve);
    }
    synchronized (getClassLoadingLock(name)) {
      Class<?> own = findLoadedClass(name);
      return own == null ? findClass(name) : own;
    }
  }
}
