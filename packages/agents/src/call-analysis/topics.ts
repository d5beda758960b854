// What a sales call turns to, by words that belong to one topic only.
import type { Topic } from './analysis.ts';
import type { ReadTurn } from './conversation.ts';

const TOPICS: Readonly<Record<string, RegExp>> = {
  pricing:
    /\b(?:pric(?:e[ds]?|ing|ey)|costs?|budget\w*|quotes?|quoted|discounts?|fees?|expensive|cheap(?:er)?|invoices?|billed|billing|payment|per (?:seat|user|month|year)|surcharge|rate card)\b/gi,
  contract:
    /\b(?:contracts?|terms?|renew(?:al|als|ing|s)?|clauses?|agreements?|sign(?:s|ed|ing|ature)?|cancell?(?:ation|ed|ing)?|notice period|multi-year|NDA|order form|legal)\b/gi,
  integration:
    /\b(?:integrat\w+|APIs?|sync(?:s|ed|ing)?|webhooks?|import(?:s|ed|ing)?|export(?:s|ed|ing)?|connect(?:ors?|ion)|single sign-on|SSO|adapters?|mappings?)\b/gi,
  migration: /\b(?:migrat\w+|old system|legacy|switch(?:ing)? over|move over|data transfer|mainframe|cutover)\b/gi,
  onboarding:
    /\b(?:onboard\w*|train(?:ing|ings|ed)?|rollout|roll(?:ed|ing)? out|set ?up|implementation|go-live|go live|kick-?off|pilot|trial|dry run)\b/gi,
  timeline:
    /\b(?:deadlines?|timelines?|schedules?|timing|lead time|weeks?|months?|quarter|before (?:christmas|summer|the holidays)|by the end of)\b/gi,
  security:
    /\b(?:securit\w+|complian\w+|GDPR|SOC ?2|HIPAA|ISO ?27001|audits?|encrypt\w+|privacy|data protection|penetration|access control|regulators?)\b/gi,
  support:
    /\b(?:support|tickets?|help ?desk|outages?|incidents?|downtime|SLAs?|escalat\w+|response time|root cause|bugs?)\b/gi,
  'decision process':
    /\b(?:decisions?|decide[sd]?|approv(?:e|es|ed|al)|sign[- ]?off|board|committee|procurement|stakeholders?|CFO|CEO|CTO|owners?|director|my boss|leadership)\b/gi,
  competition:
    /\b(?:competit\w+|alternatives?|other vendors?|another (?:vendor|supplier|offer|product)|compared (?:to|with)|versus|incumbent|came in at|looking at)\b/gi,
  reporting: /\b(?:reports?|reporting|dashboards?|analytics|metrics|KPIs?|numbers|statistics)\b/gi,
  product: /\b(?:features?|roadmap|modules?|versions?|releases?|beta|demo(?:s|ed)?|workflow|screens?|app)\b/gi,
  results:
    /\b(?:ROI|return on investment|savings?|saves?|revenue|efficien\w+|productiv\w+|pays? for itself|business case|conversion)\b/gi,
  people: /\b(?:staff|team|headcount|hir(?:e|ed|ing)|employees|users?|seats|logins?|turnover)\b/gi,
};

/** Topics with at least two mentions, the most mentioned first. */
export function findTopics(turns: readonly ReadTurn[]): Topic[] {
  const topics = Object.entries(TOPICS).flatMap(([topic, pattern]): Topic[] => {
    const sentences = turns.flatMap((turn) =>
      turn.sentences.map((sentence) => ({
        turn: turn.index,
        quote: sentence.text,
        count: sentence.text.match(pattern)?.length ?? 0,
      })),
    );
    const hits = sentences.filter((sentence) => sentence.count > 0);
    const mentionCount = hits.reduce((sum, hit) => sum + hit.count, 0);
    const best = hits.toSorted((left, right) => right.count - left.count || left.turn - right.turn)[0];
    if (best === undefined || mentionCount < 2) return [];
    const inTurns = [...new Set(hits.map((hit) => hit.turn))];
    return [{ topic, mentionCount, turns: inTurns, best: { turn: best.turn, quote: best.quote } }];
  });
  return topics.toSorted(
    (left, right) => right.mentionCount - left.mentionCount || left.topic.localeCompare(right.topic, 'en'),
  );
}
