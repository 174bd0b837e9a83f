package io.sojourn;

/**
 * What a node's near cache holds, and what it has done since it was started.
 *
 * @param sessions how many sessions it holds
 * @param bytes how many bytes their attributes take, encoded
 * @param hits how many sessions were opened without asking the store
 * @param refreshes how many were opened with what was here and what the store said had changed
 * @param misses how many were not here
 * @param evictions how many had to go to make room, or because nobody had used them for so long
 */
public record NearCacheStatistics(
    long sessions, long bytes, long hits, long refreshes, long misses, long evictions) {}
