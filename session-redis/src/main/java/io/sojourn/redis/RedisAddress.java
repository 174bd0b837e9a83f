package io.sojourn.redis;

/**
 * Where a server listens.
 *
 * @param host its name or address
 * @param port 1 to 65535
 */
record RedisAddress(String host, int port) {

  @Override
  public String toString() {
    return host + ":" + port;
  }
}
