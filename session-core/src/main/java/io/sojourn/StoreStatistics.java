package io.sojourn;

import java.time.Duration;

/**
 * What a node has asked of its store since it was started.
 *
 * @param calls how many calls there were, answered or not
 * @param failures how many of them failed for want of the store, those included that were not even
 *     sent while it did not answer
 * @param time how long all of them took
 * @param bytesLoaded the encoded attributes that came, in bytes
 * @param bytesSaved the encoded attributes that were sent, in bytes
 */
public record StoreStatistics(
    long calls, long failures, Duration time, long bytesLoaded, long bytesSaved) {}
