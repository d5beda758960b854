// How people say what speaks against a purchase. A kind is recognised by a subject together with a sign of resistance,
// or by a phrase that says both at once.
import type { ObjectionKind } from './analysis.ts';

export interface ObjectionRule {
  readonly kind: ObjectionKind;
  /** Phrases that are this objection by themselves. */
  readonly outright: RegExp;
  /** What the objection is about, and what sets the speaker against it: both in one sentence. */
  readonly subject?: RegExp;
  readonly against?: RegExp;
  /** A sentence that matches this is none after all. */
  readonly unless?: RegExp;
}

/** Joins alternatives into one pattern between word boundaries; each line is one way of saying it. */
function anyOf(...ways: string[]): RegExp {
  return new RegExp(`(?<![\\p{L}'])(?:${ways.join('|')})(?![\\p{L}])`, 'iu');
}

const US = '(?:us|me|our \\w+|my \\w+|them)';
const DECIDERS =
  '(?:he|she|they|board|director|owners?|ownership|boss|manager|cfo|ceo|coo|cio|cto|vp|chief|president|committee|council|brother|sister|father|mother|dad|mom|son|daughter|partners?|wife|husband|headquarters|head office|corporate|parent company|legal|lawyer|attorney|procurement|purchasing|principal|superintendent|trustees|investors|union|controller|treasurer|head of [\\w ]+?|mr\\.? \\w+|mrs\\.? \\w+|dr\\.? \\w+)';
const MONTHS = '(?:january|february|march|april|may|june|july|august|september|october|november|december)';

export const OBJECTION_RULES: readonly ObjectionRule[] = [
  {
    kind: 'price',
    outright: anyOf(
      '(?:too|so|pretty|quite|really|very|rather|a bit|awfully) (?:expensive|pricey|steep|costly|dear|much money)',
      "(?:that's|it's|is|are|was) (?:steep|expensive|pricey|a lot (?:of money|more than)|double|twice|triple)",
      '(?:double|twice|triple) what (?:we|i)',
      'over (?:the |our |my )?budget|(?:no|not in the|beyond|outside) (?:the |our |my )?budget|budget (?:is|was)? ?(?:\\w+ ){0,4}(?:lower|less|flat|frozen|gone|tight|smaller|cut|spent)',
      "(?:can't|cannot|couldn't) (?:afford|justify|stretch to)|hard to (?:justify|sell|swallow)",
      'that kind of (?:money|cash)|for that (?:money|price|kind of money)|with that money',
      'more than (?:we|i) (?:had|have|can|could|pay|paid|wanted|planned|budgeted|expected)',
      '(?:price|rate|fee|cost|number|bill|quote|invoice)s? (?:\\w+ ){0,4}(?:went up|goes up|gone up|jumped|doubled|too high|a jump|eats?)',
      'sharpen (?:your|the) pencil|come down|knock (?:something|it|that|a bit) off|meet (?:me|us) (?:halfway|in the middle)|(?:better|lower) (?:price|number|rate|offer)',
      'look at the price|should go away|(?:in a place|in a position) where (?:i|we) can',
    ),
    subject:
      /\b(?:pric\w+|costs?|budget\w*|fees?|charges?|quote[ds]?|invoices?|bill(?:ed)?|pay(?:s|ing)?|paid|money|cash|figure|discounts?|percent|increase|dollars?|bucks|euros?|pounds|grand|fund(?:s|ing)|payment|terms|annual(?:ly)?|net \d+|surcharge|up ?front)\b|[$€£]\d/i,
    against:
      /\b(?:only (?:have|got|had)|too (?:much|high)|steep|higher|more than|problem|issue|choking|hard|tough|lower than|no room|won't love|won't fly|don't (?:understand|get|see) what|not (?:happening|what (?:we|i)|going to|gonna)|flat|fell off|dead|hurts?|stings?|ouch|crazy|insane|ridiculous|nobody|double|twice|jump|frozen|tight|can't|couldn't|versus|less than half|rather know|need it (?:quarterly|monthly)|have to (?:justify|explain|defend)|never (?:bought|paid|spent)|something in the|were talking about|eats?|gone)\b/i,
    unless:
      /\b(?:not (?:too|that|so) (?:expensive|bad)|don't care about|isn't the (?:price|problem|issue)|not the (?:price|money))\b/i,
  },
  {
    kind: 'timing',
    outright: anyOf(
      "(?:not|isn't|wrong|bad|worst) (?:a good |the right |the |a )?(?:time|moment)|timing (?:is|worries|doesn't|isn't)|worry is the timing",
      "(?:not|nothing|nobody|don't|won't|can't) (?:\\w+ ){0,5}(?:before|until|till) (?!i |you |we |somebody)",
      "(?:buried|swamped|slammed|(?:we're|is|are|everybody's|everyone's) flat out|snowed under|underwater|up to our ears|hands full|maxed out)",
      '(?:too|so) (?:soon|early)|in no (?:hurry|rush)|no (?:hurry|rush)|hard no',
      'no (?:capacity|bandwidth|appetite)|(?:any|the) (?:capacity|bandwidth) (?:for|to)',
      '(?:come|circle|check) back (?:to (?:me|us) )?(?:after|in|next)|(?:talk|look|revisit)(?: \\w+){0,3} (?:next year|after the)',
      "we(?:'ve| have)? just (?:rolled|switched|finished|moved|implemented|replaced|installed|changed|started|went|bought)",
      'in the middle of (?:a |an |our |the )?\\w+ing|(?:locked in|tied in|tied to|stuck with|under contract)(?: \\w+)* (?:until|till|through)',
      '(?:after|before) (?:the )?(?:harvest|season|holidays|christmas|new year|year-end|summer|audit|merger|peak) (?:at the )?(?:earliest|or never)',
      '(?:freeze|moratorium)',
    ),
    subject: new RegExp(
      `\\b(?:before|until|till|right now|this (?:month|quarter|year|season|fall|spring|summer|winter)|next year|${MONTHS}|quarter|season|harvest|holidays|christmas|summer|winter|year-end|audit|peak|tax time|go-live)\\b`,
      'i',
    ),
    against:
      /\b(?:(?:can't|cannot|couldn't|won't|wouldn't(?: want to)?|don't want to|not going to|not turning|never) (?:\w+ )?(?:start|touch|sign|buy|switch|train|decide|commit|turn|turning|move|go|do|take|roll|look|think|change|deal|begin|spend|add|pull|introduce|install|put|ask)|impossible|no way|dead|out of the question|everybody's|everyone's|all hands|(?:is|are|'s) (?:away|off|out|on (?:leave|vacation|holiday))|so there's|not realistic|unrealistic|madness|crazy|insane|nobody has time|no time)\b/i,
    unless: /\b(?:rejected|overdue|till i hear|until i hear|was not paged)\b/i,
  },
  {
    kind: 'authority',
    outright: anyOf(
      "(?:isn't|is not|not) (?:only |just |really |solely )?(?:(?:my|our|mine)(?: own)? (?:call|decision|signature)|up to (?:me|us)|mine|me) (?:alone|only|to (?:decide|make)|who decides)?",
      "(?:isn't|is not|not) (?:only |just |really |solely )?(?:(?:my|our) (?:call|decision)|up to (?:me|us)|mine to)",
      `(?<!their )${DECIDERS} (?:\\w+ ){0,4}(?:signs?(?: off| himself| herself| the| it| everything)?|decides?|approves?|votes?|has to (?:approve|sign|agree|bless|okay|see)|have to (?:approve|sign|agree|bless|okay)|would have to (?:approve|sign|agree|bless|okay)|needs? to (?:approve|sign|agree|okay|bless)|gets? (?:a|the last|the final) (?:say|vote|word)|has (?:the last|the final|a) (?:say|word)|picks?|won't sign|will (?:want|have) to (?:approve|sign|see))`,
      `(?:take|run|bring|get|clear|put) (?:it|this|that|something|the \\w+) (?:to|by|past|with|through|in front of) (?:my|our|the|their) ?${DECIDERS}|(?:take|run|bring) (?:it|this|that) (?:to|by|past) (?:ownership|corporate|procurement|legal|head office|headquarters)`,
      `(?:need|needs|wait for|without) (?:the |my |our |a |an |${DECIDERS}'s )?(?:managing director|board(?:'s)?|signature|sign-off|approval|blessing|okay|go-ahead)`,
      "(?:his|her|their|board) (?:signature|approval|blessing|decision|call)|needs? (?:the )?both of us|can't (?:sign|decide|approve|commit|say yes)|that decides",
      '(?:anything|everything) (?:over|above|beyond|north of) (?:\\S+ ){1,3}(?:\\w+ )?(?:goes|signs?|needs?|has|he|she|they|requires?)|(?:goes|has to go|would go) to the (?:board|committee|council)',
      "above my (?:pay grade|limit)|don't have the authority|(?:can|could) only recommend|i can recommend|just the (?:one who|messenger)|decision is made|made (?:upstairs|at|in) ",
      "(?:i'd|i would|i|we) (?:have|need) to (?:ask|convince|check with|talk to|run it by|clear it with|get|feel it out)(?: \\w+){0,2} (?:boss|board|partners?|director|owners?|wife|husband|brother|father|lawyer|attorney|committee|managing director|council)",
    ),
    unless: /\?$/,
  },
  {
    kind: 'need',
    outright: anyOf(
      `(?:don't|doesn't|do not|didn't|not sure|can't) (?:really |actually )?(?:see|know|understand|get) (?:why|what|how) (?:they|we|he|she|i|you|it|this|that|any of)(?:'d|'s)? (?:\\w+ ){0,4}(?:need|would|change|do for|for|help|add|bring|give)`,
      "(?:don't|doesn't|didn't|not) (?:really )?see (?:the|a|any) (?:point|need|benefit|value|reason|use)|not sure (?:we|i|this|it|that) (?:\\w+ ){0,2}(?:need|worth|help)",
      "(?:don't|doesn't|do not) (?:really |actually )?need (?:it|that|this|any|another|one|all|half|most|something)(?! today)",
      "(?:get|gets|getting|got) (?:along|by) (?:just |perfectly )?(?:fine|well|okay|without)|(?:works?|working|worked|doing|does|do) (?:just |perfectly )?(?:fine|okay|well enough)|(?:one|system|it|way|what we have|setup|process|app|spreadsheets?)(?:'s| is| are) (?:just |perfectly )?fine",
      '(?:does|do|did|doing) the (?:job|trick)|good enough|well enough|overkill|nice[- ]to[- ]have|gimmick',
      "too (?:small|big|old|simple|complicated|much) for (?:this|that|it|us|our|a)|we(?:'re| are) (?:too small|not (?:big|large) enough|not that kind)",
      "(?:already|we) (?:have|got|'ve got|has|do|use) (?:a |an |our )?(?:something|one|that|thing|tool|system|way) (?:like|for|that|which)|already (?:have|got|do|does|use|cover)(?: \\w+)? (?:that|this|it|one|something|the gradebook)",
      "why (?:would|should) (?:i|we) (?:change|switch|need|bother|want|touch|add)|(?:won't|wouldn't|never|don't|hardly|barely|nobody) (?:\\w+ )?(?:use|used|touch|touched|look at|open) (?:it|that|this|them|half|most|any|a)",
      "(?:wouldn't|won't|doesn't|don't|not going to|isn't going to) (?:really )?(?:work|do|help|apply|fit|fly) (?:for|in|with|on|out here|here) ?(?:us|our|me|that|this|the|a|an|those|half)?",
      "(?:second|another|one more) (?:system|place|tool|app|login|screen) to|(?:second|another|one more) (?:system|tool|app|login)|they(?:'ve| have) (?:already )?got the",
      "we(?:'d| would) never (?:use|touch|need)|we only (?:do|have|get|see) (?:about |maybe )?(?:\\w+) (?:of|a|per)|happy with (?:what|our|the (?:current|one))|ours is from",
    ),
    unless: /\b(?:that's fine|i'm fine|will say|that'd be fine|would be fine|\w+'s fine\.?$|works fine for me)\b/i,
  },
  {
    kind: 'trust',
    outright: anyOf(
      "(?:i|we|they|he|she)(?:'ve| have|'d)? (?:\\w+ )?heard (?:that|this|it|those) (?:\\w+ )?before|all (?:the )?vendors (?:say|promise)|every vendor (?:says|promises)",
      'how (?:do|can|could|would|should) (?:i|we) (?:know|trust|believe|be sure)|why (?:should|would) (?:i|we) (?:believe|trust)|why i should (?:believe|trust)',
      "(?:don't|doesn't|do not|didn't|can't|cannot|hard to|never|wouldn't|nobody) (?:really |quite |fully )?(?:believe|trust|buy (?:it|that)|rely)|believe (?:it|the \\w+|that) when|not (?:fully |really |quite |yet )?(?:convinced|sold|sure i (?:believe|trust))|skeptical|sceptical|hesitant|leery|wary",
      '(?:been|got|were|was) burned|burned (?:before|once|by|us)|allergic|once bitten|guinea pigs?|your word for it|take your word|too good to be true|prove it',
      '(?:last|previous|other|old) (?:\\w+ )?(?:vendors?|suppliers?|company|provider|outfit|one)\\b[^.?!]{0,60}\\b(?:told|said|promised|never|failed|left|swore|disappeared|went)',
      `(?:you|they|you guys|your \\w+) (?:\\w+ )?(?:promised|said|told)(?: ${US})? [^.?!]*(?:still|never|and (?:then|it|that|nothing)|ago)|promise[sd]? (?:us |me )?(?:that|the) [^.?!]*(?:still|never)`,
      '(?:still|even) (?:be )?around in|(?:go|went|going) (?:under|bust|bankrupt|out of business)|if you (?:get|got) (?:bought|acquired)|startup',
      '(?:worried|worry|concerned|nervous|uneasy|afraid) (?:about|that|where) (?:\\w+ ){0,4}(?:data|security|privacy|hack|leak|reliab\\w+|cloud|accuracy|breach|outage|down|wrong|lose)',
      '(?:numbers?|counts?|figures?|data|forecasts?|results?|predictions?|readings?|transcripts?|reports?) (?:\\w+ ){0,3}(?:were|was|are|is) (?:\\w+ )?(?:off|wrong|inaccurate|incorrect|made up|garbage|nonsense)',
      '(?:was|were|went|been|goes|go) down (?:twice|again|for|three|last|every|on)|outages?|false (?:alarms?|positives?)',
      '(?:hear|see) (?:that|it|this) from (?:somebody|someone|a customer|people)|not from you|(?:talk|speak) to (?:somebody|someone|a customer) who|demos? (?:always|never)|put my name under|lost (?:trust|faith|confidence)|slideware',
      "what (?:we|i) got was|(?:never|didn't) (?:arrived?|happened|happen|came|come|worked|work|delivered|deliver) (?:as|what|like|the)",
    ),
  },
  {
    kind: 'competitor',
    outright: anyOf(
      '(?:came|comes|coming|come) in (?:at|under|lower|cheaper|well)|quot(?:es?|ed|ing) us|bid from|(?:quote|offer|proposal|pitch|demo|call) from (?:(?:an|the|your)?other|\\p{Lu}|your competitor|a competitor|somebody else|someone else)',
      '(?:another|other|different|second|two other|three other|a couple of other|several) (?:compan(?:y|ies)|firms?|vendors?|suppliers?|providers?|tools?|offers?|quotes?|proposals?|bids?|options?|products?|solutions?|systems) (?:on|is|are|was|has|have|that|who|we|in|i|which|for|too|as|to)',
      '(?:talking|spoken|spoke|speaking|looking|talked|looked|meeting|met) (?:to|with|at) (?:two|three|a couple|other|another|some other|somebody else|someone else|your competitor|a competitor|\\p{Lu}\\p{Ll}+(?:, too| as well| too| next))',
      '(?:has|have|got|gave|give|gives|made|offered|offers|offering|bundles?|throws?|threw|includes?|included) (?:us |me |you |everyone |anybody |it |that |this |the \\w+ |\\w+ ){0,4}(?:for (?:free|nothing|less|half)|in for free|free of charge|at no (?:extra )?(?:cost|charge)|built[- ]in|cheaper)',
      '(?:its|their|his|her) own (?:app|system|tool|program|programme|platform|product|solution|module)|built[- ]in now|comes? with (?:its|their|one|that)|open[- ]source|in-house',
      'competitors?|competition|swears? by|cheaper (?:option|one|elsewhere|offer|than you|tool|alternative)|a third (?:lower|less|cheaper)|for less',
      '(?:uses?|used|using|runs?|picked|chose|went with|switched to|standardi[sz]ed on) \\p{Lu}\\p{Ll}+ (?:everywhere|at (?:her|his|their|my) (?:old|last)|already|across|group-wide|for (?:that|this|it))',
      "\\p{Lu}\\p{Ll}+(?:'s| is| are| was|'re) (?:quoting|offering|paying|charging|cheaper|giving|knocking on|doing (?:it|that|the same) for)",
      '\\p{Lu}\\p{Ll}+ (?:has |have )?(?:offers?|offered|quoted|quotes|charges?|charged|undercuts?|throws|bundles) (?:us|me|the same|it|that|eighteen|\\d+|a|less|half)',
    ),
    unless: /\b(?:scope\?|we offer|in the last project|last vendor|reference)\b/i,
  },
  {
    kind: 'effort',
    outright: anyOf(
      "who(?:'s| is| will| would|'d| writes)(?: supposed| going)?(?: to)? (?:do|enter|maintain|run|own|train|clean|write|type|set|install|migrate|handle|manage|check|keep|put|teach)(?! you)",
      'a (?:lot|ton|mountain|pile|hell) of (?:work|effort|training|retraining|hassle|typing|changes?)|too much (?:work|effort|hassle|training)|nightmare|headache|lot of hand-?holding',
      'retyp\\w+|re-?enter\\w*|retrain\\w*|by hand again|from scratch|start(?:ing)? over',
      '(?:took|cost|takes|costs) (?:us |me |them )?(?:\\w+ )?(?:\\w+ )?(?:months|weeks|all of \\w+|the whole|a year|half a year|forever)(?: and)?',
      "(?:don't|doesn't|do not|didn't|haven't|can't|won't|not) (?:really )?(?:have|got|spare|pull|free up|take|give up) (?:the |any |an |my |our |anyone |anybody |somebody |one |a |enough )*(?:people|staff|time|hands|resources|team|crew|person|it (?:department|team|person|guy|people)|hours|nurses|drivers|dispatchers|teachers|techs|off|for training)",
      '(?:just|only) me|by myself|short[- ]?(?:staffed|handed)|understaffed|stretched (?:thin)?|hands full|one more (?:form|app|login|thing|password)|(?:two|one|three) (?:analysts?|people|person|guys?) (?:who|for|doing|and)',
      '(?:train|teach|convince|retrain|onboard) (?:everybody|everyone|all|every one|each|\\d+|\\w+ (?:people|drivers|nurses|teachers|techs|staff|of them)|them all|my \\w+|the whole)',
      "not (?:computer|tech|technical|app|software) people|computer people|(?:get|getting) (?:\\w+ ){1,3}to (?:use|adopt|log in|fill|learn|switch)|(?:won't|never|don't|refuse to|hate to|nobody will) (?:\\w+ )?(?:use|learn|adopt|fill|log|type|read)(?: in)? (?:it|an?|another|one more|new|anything|the app|an app)",
      "(?:years|decades|boxes|drawers|thousands) of (?:\\w+ )?(?:records|data|paper|files|history|drawings|loads)|(?:records|files|everything|all|still|it's) (?:\\w+ )?on paper|old dialect|(?:migration|rollout|implementation|switch|move|changeover|conversion) (?:\\w+ ){0,3}(?:took|scares?|worries|was|would be|is going to be|killed|nearly)",
      "(?:not doing|do not want|don't want|can't do|couldn't do|wouldn't survive|never again) (?:\\w+ ){0,2}(?:another|a second|one more|that again|my \\w+ \\w+ing)",
    ),
    unless: /\b(?:took you|takes you|what does|how long)\b/i,
  },
];
