package io.sojourn.metrics;

import io.sojourn.SessionRepository;
import io.sojourn.codec.MeasuredCodec;

/** Reads the figures where they are counted. Thread-safe. */
public final class SessionFigures implements SessionFiguresMXBean {

  private final String application;
  private final SessionRepository repository;
  private final MeasuredCodec codec;

  /**
   * The figures of one application.
   *
   * @param application whose sessions these are
   * @param repository that keeps them
   * @param codec that it encodes attributes by
   */
  public SessionFigures(String application, SessionRepository repository, MeasuredCodec codec) {
    this.application = application;
    this.repository = repository;
    this.codec = codec;
  }

  @Override
  public String getApplication() {
    return application;
  }

  @Override
  public int getActiveSessions() {
    return repository.size();
  }

  @Override
  public long getSessionCounter() {
    return repository.begun();
  }

  @Override
  public long getExpiredSessions() {
    return repository.ended();
  }

  @Override
  public long getStoreCalls() {
    return repository.statistics().calls();
  }

  @Override
  public long getStoreFailures() {
    return repository.statistics().failures();
  }

  @Override
  public long getStoreTime() {
    return repository.statistics().time().toMillis();
  }

  @Override
  public long getLostRaces() {
    return repository.lostRaces();
  }

  @Override
  public long getRefusedSaves() {
    return repository.refusedSaves();
  }

  @Override
  public long getServedLocally() {
    return repository.servedLocally();
  }

  @Override
  public int getUnsavedSessions() {
    return repository.unsavedSessions();
  }

  @Override
  public long getBytesLoaded() {
    return repository.statistics().bytesLoaded();
  }

  @Override
  public long getBytesSaved() {
    return repository.statistics().bytesSaved();
  }

  @Override
  public long getNearCacheHits() {
    return repository.nearCacheStatistics().hits();
  }

  @Override
  public long getNearCacheRefreshes() {
    return repository.nearCacheStatistics().refreshes();
  }

  @Override
  public long getNearCacheMisses() {
    return repository.nearCacheStatistics().misses();
  }

  @Override
  public long getNearCacheEvictions() {
    return repository.nearCacheStatistics().evictions();
  }

  @Override
  public long getNearCacheBytesHeld() {
    return repository.nearCacheStatistics().bytes();
  }

  @Override
  public long getDirtyChecks() {
    return codec.statistics().checks();
  }

  @Override
  public long getDirtyCheckTime() {
    return codec.statistics().checkTime().toMillis();
  }

  @Override
  public long getEncodeFailures() {
    return codec.statistics().encodeFailures();
  }

  @Override
  public long getDecodeFailures() {
    return codec.statistics().decodeFailures();
  }

  @Override
  public long getRefusedClasses() {
    return codec.statistics().refusals();
  }
}
