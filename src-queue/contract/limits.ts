/**
 * Every bound of the product, once. Queues, buffers, pages and payloads take theirs from here,
 * and each has a test at the bound and one past it.
 */
export const LIMITS = {
  /** Payload as JSON, bytes of UTF-8. */
  payloadBytes: 256 * 1024,
  /** Result as JSON, bytes of UTF-8. */
  resultBytes: 256 * 1024,
  /** Levels of nesting in a payload; the payload object itself is level 1. */
  payloadDepth: 64,
  /** The same of a body that is not parsed yet: far above what any field may have, it is about the time that parsing takes. */
  parsedDepth: 1000,
  /** Fields of one object in a request that is not a payload: to name each unknown one of a million takes seconds. */
  bodyFields: 1000,
  /** A request body, bytes: single task and everything small. */
  bodyBytes: 1024 * 1024,
  /** A bulk request body, bytes. */
  bulkBodyBytes: 64 * 1024 * 1024,
  /** Tasks in one bulk request. */
  bulkTasks: 10_000,
  /** Lines in one NDJSON request: they are stored while they arrive, so only the answer grows. */
  ndjsonTasks: 100_000,
  /** Points in one answer of a time series. */
  timeseriesPoints: 2000,
  nameLength: 200,
  tags: 10,
  tagLength: 64,
  keyLength: 200,
  ownerLength: 100,
  dependencies: 100,
  pageDefault: 100,
  pageMax: 1000,
  /** Payloads and results above this many characters are left out of lists (never of `GET /api/tasks/{id}`). */
  listFieldChars: 16 * 1024,
  /** Records that one request may look at in a search for text, or for a combination of filters. */
  scanRecords: 5000,
  /** Places in the payload that one filter may name. */
  payloadFilters: 5,
  /** Completions of a search that are answered at once, and the newest tasks that are looked at for their tags and owners. */
  suggestions: 20,
  suggestSample: 500,
  progressMessageLength: 500,
  errorMessageLength: 500,
  errorStackLength: 8 * 1024,
  logLineLength: 2048,
  /** Log lines kept per task, the newest. */
  logLines: 1000,
  /** Tasks that the console sends in one bulk request. */
  submitBatch: 1000,
  /** Tasks in one call of the submit script: a call pays, and what comes before and after it overlaps with it. */
  submitPart: 250,
  /** Physical queues that one queue may lie in. */
  shards: 64,
  /** How long a submit waits for the disk or a replica, where it is asked to; below the time-out of a silent socket. */
  durableMs: 1000,
  /** Work calls that a worker may have in flight for one queue; its lanes are named 0, 1, … */
  workLanes: 2,
  /** Settles, and claims, in one call of the work script. */
  workBatch: 500,
  /** Tasks moved in one call of the tick, requeue, cancel, remove or prune script. */
  sweepBatch: 200,
  /** Ids in one chunk of an operation. */
  operationChunk: 200,
  /** Operations that one server carries out at the same time; further ones wait for their turn. */
  operationsAtOnce: 16,
  /** Ids that one operation may hold. */
  operationIds: 1_000_000,
  /** Why a read-only connection is unlocked. */
  reasonLength: 200,
  /** For how long, at most. */
  unlockMinutes: 60,
  /** Tasks that an operation passed over or failed on and remembers, the newest. */
  operationRecent: 50,
  /** Rows that one export of the console holds in memory. */
  exportRows: 100_000,
  /** Characters of tasks that the console sends in one bulk request, unless one task alone has more. */
  submitChunkChars: 4 * 1024 * 1024,
  /** Rows of a chosen file that the console shows; and rejected rows that it keeps, to be shown and saved. */
  submitPreviewRows: 20,
  submitRejectsKept: 10_000,
  concurrency: 1000,
  /** Connection profiles of one user of the desktop app. */
  profiles: 200,
  /** Queues on whose wake lists one worker blocks; the upkeep's pass tells it of the others. */
  wakeLists: 1000,
  /** The same in a Redis Cluster, where each of them takes a connection. */
  clusterWakeLists: 100,
  /** Queues that a worker with `*` names as those that it serves at the moment. */
  servingShown: 50,
  wsMessageBytes: 64 * 1024,
  /** Bytes waiting in one WebSocket client's socket before it is cut back with a resync. */
  wsBufferedBytes: 4 * 1024 * 1024,
  /** Frames kept for `since`. */
  wsReplayFrames: 5000,
  wsTopics: 50,
  /** Connections of one server process, WebSocket clients among them; further ones are closed at once. */
  connections: 5000,
  /** WebSocket clients of one server process. */
  wsClients: 2000,
  /** Sets of topics that one server process keeps a numbering for; more than clients, so that some outlive theirs. */
  wsChannels: 3000,
  eventStreamEntries: 10_000,
  /** Task types, over all queues, whose rates a server keeps; further ones wait until some have been idle for an hour. */
  meteredTypes: 2000,
  /** Pending tasks of a queue whose type is looked at, spread over all of them. */
  typeSample: 2000,
  /** Failure groups of which a list shows when their tasks failed, the largest; the message of one; the members looked at. */
  groupsCharted: 100,
  groupMessageChars: 300,
  groupListSample: 500,
  /** Members of one failure group whose time is looked at, the newest. */
  groupSample: 5000,
  /** Members of one failure group that are read and compared, the newest; and the bytes read for it. */
  groupCompared: 200,
  groupComparedBytes: 8 * 1024 * 1024,
  /** Places in payloads that are compared, and characters of a value that they share. */
  groupPaths: 100,
  groupValueChars: 500,
  /** Completed tasks that are looked at for the last success of a task type. */
  lastSuccessScan: 2000,
} as const;
