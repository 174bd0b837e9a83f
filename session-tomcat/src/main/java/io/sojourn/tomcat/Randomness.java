package io.sojourn.tomcat;

import java.security.NoSuchAlgorithmException;
import java.security.NoSuchProviderException;
import java.security.SecureRandom;
import org.apache.catalina.util.SessionIdGeneratorBase;
import org.jspecify.annotations.Nullable;

/**
 * The source of randomness for session ids: where Tomcat cannot have the one that is set, it would
 * log so and take another.
 */
final class Randomness {

  private Randomness() {}

  /**
   * Stops the start if Tomcat could not have it. An algorithm is not asked for where there is a
   * class, nor is a platform's lack of the default.
   *
   * @throws IllegalArgumentException that names the attribute
   */
  static void refuse(
      @Nullable String className, @Nullable String algorithm, @Nullable String provider) {
    if (className != null) {
      refuseClass(className);
    } else if (provider != null && !provider.isEmpty()) {
      refuseProvider(String.valueOf(algorithm), provider);
    } else if (algorithm != null
        && !algorithm.isEmpty()
        && !algorithm.equals(SessionIdGeneratorBase.DEFAULT_SECURE_RANDOM_ALGORITHM)) {
      refuseAlgorithm(algorithm);
    }
  }

  private static void refuseClass(String name) {
    try {
      Object unused =
          Class.forName(name, true, SessionIdGeneratorBase.class.getClassLoader())
              .asSubclass(SecureRandom.class)
              .getConstructor()
              .newInstance();
    } catch (ReflectiveOperationException | ClassCastException | LinkageError e) {
      throw new IllegalArgumentException(
          "secureRandomClass=\""
              + name
              + "\" must be a class in Tomcat's lib that extends java.security.SecureRandom and has"
              + " a public constructor without parameters: "
              + e,
          e);
    }
  }

  private static void refuseProvider(String algorithm, String provider) {
    try {
      SecureRandom unused = SecureRandom.getInstance(algorithm, provider);
    } catch (NoSuchProviderException e) {
      throw new IllegalArgumentException(
          "secureRandomProvider=\"" + provider + "\" must be a security provider of this JVM", e);
    } catch (NoSuchAlgorithmException | IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "secureRandomAlgorithm=\""
              + algorithm
              + "\" must be an algorithm of secureRandomProvider=\""
              + provider
              + "\"",
          e);
    }
  }

  private static void refuseAlgorithm(String algorithm) {
    try {
      SecureRandom unused = SecureRandom.getInstance(algorithm);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalArgumentException(
          "secureRandomAlgorithm=\""
              + algorithm
              + "\" must be an algorithm for random numbers of this JVM",
          e);
    }
  }
}
