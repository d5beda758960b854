/** The door of @sophia-ai/agents: explicit names, nothing else. Node only. */

export { CallAnalysisAgent } from './call-analysis/agent.ts';
export { OBJECTION_KINDS } from './call-analysis/analysis.ts';
export type {
  CallAnalysis,
  Commitment,
  DateMention,
  Evidence,
  Filler,
  Interactivity,
  MoneyMention,
  Monologue,
  Objection,
  ObjectionKind,
  Question,
  ResponseGaps,
  SideShare,
  SpeakerShare,
  Topic,
  TurnSentiment,
} from './call-analysis/analysis.ts';
export type { CallAnalysisConfig } from './call-analysis/config.ts';
export { MAX_TURNS } from './call-analysis/input.ts';
export type { CallAnalysisInput, Side, TurnInput } from './call-analysis/input.ts';
export { InsightExtractionAgent } from './insight-extraction/agent.ts';
export type { InsightExtractionConfig } from './insight-extraction/config.ts';
export { MAX_DOCUMENTS } from './insight-extraction/input.ts';
export type { DocumentInput, InsightExtractionInput } from './insight-extraction/input.ts';
export type { InsightExtraction, KeyPhrase, Novelty, Quote, Theme } from './insight-extraction/insights.ts';
export type { Language, LanguageRunOptions } from './language/language.ts';
export type { LanguageTask, LanguageTasks, Progress } from './language/worker.ts';
export { sampleCalls, sampleInputs } from './samples.ts';
export type { SampleInputs } from './samples.ts';
export { MAX_INPUT_BYTES } from './text-limits.ts';
