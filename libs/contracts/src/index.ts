export {
  AgentSpec,
  AgentVersion,
  BUILT_IN_TOOLS,
  Caps,
  ModelSpec,
  SeedFile,
  SimulateSpec,
  SomeCaps,
  ToolName,
  WorkspaceSpec,
} from './agent.js';
export {
  ApplyAgentRequest,
  CancelRunRequest,
  CapUse,
  EventPage,
  EventView,
  HeartbeatVerdict,
  LiveFrame,
  LiveRequest,
  Problem,
  RunRow,
  RunStatusWord,
  RunView,
  StartRunRequest,
} from './api.js';
export {
  BlobRef,
  type ContextMessage,
  ModelBlock,
  StopReason,
  TextBlock,
  type ToolResultBlock,
  ToolUseBlock,
  Usage,
} from './content.js';
export { AgentName, CallId, callIdOf, Digest, Json, Moment, millisOf, momentOf, RunId, SegmentNumber } from './ids.js';
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
export { AgentVersionApplied, HANDOFF_NOTES_KEPT, HandoffNoteLeft, WorkspaceEvent } from './other-events.js';
export { Actor, EventMetadata, type Recorded, SCHEMA_VERSION } from './recorded.js';
export {
  CallOutcome,
  CapName,
  CoordinatorRunEvent,
  GatewayRunEvent,
  ItemSpec,
  ModelFailureKind,
  RELAY_EVENTS,
  type RecordingApp,
  RunEvent,
  type RunEventOf,
  type RunEventType,
  RunnerRef,
  runEventSchemas,
  SegmentEndReason,
  SegmentRunEvent,
  SweeperRunEvent,
  TERMINAL_EVENTS,
  WAKING_EVENTS,
} from './run-events.js';
export { runOfStream, streams } from './streams.js';
export { builtInTools, inputSchemaOf, type ToolDeclaration, type ToolEffect } from './tools.js';
export {
  AskCall,
  CallState,
  OpenWorkspace,
  ReadJournal,
  ReleaseWorkspace,
  RunCall,
  StopCall,
  workspaceSubject,
} from './workspace-asks.js';
