package io.sojourn.redis;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.metrics.CommandLatencyRecorder;
import io.lettuce.core.resource.ClientResources;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The driver's threads and settings, for all connections of a store. Thread-safe. */
final class RedisDriver implements AutoCloseable {

  private static final Logger LOGGER = System.getLogger(RedisDriver.class.getName());

  private static final Duration SHUTDOWN_TIME = Duration.ofSeconds(2);

  private final ClientResources resources;
  private final RedisClient client;

  RedisDriver(RedisSettings settings) {
    this.resources =
        ClientResources.builder()
            .ioThreadPoolSize(2)
            .computationThreadPoolSize(2)
            .commandLatencyRecorder(CommandLatencyRecorder.disabled())
            .threadFactoryProvider(pool -> new DefaultThreadFactory("sojourn-" + pool, true))
            .build();
    this.client = RedisClient.create(resources);
    client.setOptions(
        ClientOptions.builder()
            .autoReconnect(false)
            .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
            .maintNotificationsConfig(MaintNotificationsConfig.disabled())
            .socketOptions(
                SocketOptions.builder().connectTimeout(settings.timeout()).keepAlive(true).build())
            .sslOptions(settings.ssl())
            .timeoutOptions(TimeoutOptions.create())
            .build());
  }

  /** Opens a connection that stays closed once it was lost. */
  CompletableFuture<StatefulRedisConnection<byte[], byte[]>> connect(RedisURI uri) {
    return client.connectAsync(ByteArrayCodec.INSTANCE, uri).toCompletableFuture();
  }

  /** Closes what is open and ends the threads. Repeatable; never throws. */
  @Override
  public void close() {
    long millis = SHUTDOWN_TIME.toMillis();
    try {
      client.shutdownAsync(0, millis, TimeUnit.MILLISECONDS).get(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException | RuntimeException e) {
      LOGGER.log(Level.DEBUG, "The connections to Redis did not close in order", e);
    }
    try {
      resources.shutdown(0, millis, TimeUnit.MILLISECONDS).awaitUninterruptibly(millis);
    } catch (RuntimeException e) {
      LOGGER.log(Level.DEBUG, "The driver's threads did not end in order", e);
    }
  }
}
