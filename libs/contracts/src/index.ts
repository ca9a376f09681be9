export {
  AgentSpec,
  AgentVersion,
  BUILT_IN_TOOLS,
  Caps,
  Effort,
  ModelSpec,
  SeedFile,
  SomeCaps,
  ThinkingSpec,
  ToolName,
  WorkspaceSpec,
} from './agent.js';
export {
  AnswerCallRequest,
  ApplyAgentRequest,
  ApproveCallRequest,
  CancelRunRequest,
  CapUse,
  DenyCallRequest,
  EffectsAnswer,
  EffectView,
  EventPage,
  EventView,
  HeartbeatVerdict,
  LiveFrame,
  LiveRequest,
  ParkedList,
  ParkedMessage,
  Problem,
  RaiseCapsRequest,
  Receipt,
  RunRow,
  RunStatusWord,
  RunView,
  SendMessageRequest,
  StartRunRequest,
  WaitsFor,
} from './api.js';
export {
  Attachments,
  BlobRef,
  type ContextMessage,
  DOCUMENT_TYPES,
  DocumentBlock,
  IMAGE_TYPES,
  ImageBlock,
  MediaBlock,
  MOST_MEDIA_BYTES,
  ModelBlock,
  mediaBlockOf,
  mediaTypeOf,
  ResultBlock,
  StopReason,
  TextBlock,
  type ToolResultBlock,
  ToolUseBlock,
  Usage,
} from './content.js';
export { Check, Examination, Verdict } from './doctor.js';
export {
  ApprovalRule,
  DiscoveredTool,
  Discovery,
  EffectRule,
  ExternalTools,
  HttpTool,
  McpServer,
  ObjectSchema,
  SecretName,
  ToolEffect,
} from './external-tools.js';
export { AgentName, CallId, callIdOf, Digest, Moment, millisOf, momentOf, RunId, SegmentNumber } from './ids.js';
export { Json, JsonObject } from './json.js';
export {
  Activity,
  AdvanceRun,
  AskSegment,
  Heartbeat,
  LiveDelta,
  type MessageContract,
  RunSegment,
  WORK_CONSUMERS,
} from './messages.js';
export {
  AgentVersionApplied,
  HANDOFF_NOTES_KEPT,
  HandoffNoteLeft,
  type NoteContent,
  NotedRuns,
  OPEN_RUNS_NOTES_KEPT,
  OpenRunsNoted,
  WorkspaceEvent,
} from './other-events.js';
export { ModelPrice, PriceTable } from './prices.js';
export { Actor, EventMetadata, type Recorded, SCHEMA_VERSION } from './recorded.js';
export { Finding, Incident, IncidentKind, Need, Report, RunAccount, Story } from './report.js';
export {
  CallOutcome,
  CapName,
  CoordinatorRunEvent,
  GatewayRunEvent,
  ItemSpec,
  ModelFailureKind,
  ProcessMark,
  RELAY_EVENTS,
  type RecordingApp,
  RunEvent,
  type RunEventOf,
  type RunEventType,
  RunnerRef,
  runEventSchemas,
  SEGMENT_OVER_EVENTS,
  SegmentEndReason,
  SegmentRunEvent,
  SweeperRunEvent,
  TERMINAL_EVENTS,
  WAKING_EVENTS,
} from './run-events.js';
export { AskService, HOLDINGS_TOLD, Holding, SERVICES, type ServiceAnswer, ServiceName } from './service-ask.js';
export { FaultSpec, ItemsPlay, ScriptedTurn, ScriptPlay, SimulateSpec } from './simulate.js';
export { runOfStream, streams } from './streams.js';
export { builtInTools, EARLIER_TOOLS, inputSchemaOf, type ToolDeclaration, WORDS_VERSION } from './tools.js';
export { type FindingOf, UPKEEP_DAYS, UpkeepEvent } from './upkeep-events.js';
export { UsageAnswer, UsageQuery } from './usage.js';
export {
  AskCall,
  CallState,
  CheckCall,
  DiscoverTools,
  OpenWorkspace,
  ProbeCall,
  ReadJournal,
  RunCall,
  ServerLost,
  StopCall,
  WorkspaceHere,
  workspaceSubject,
} from './workspace-asks.js';
