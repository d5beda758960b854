/** A small full-text index: built once, read by everybody, changed by nobody. */

import { readFile } from 'node:fs/promises';

interface Article {
  readonly title: string;
  readonly text: string;
}

/** How much more a word in the title says than one in the text. */
const TITLE_WEIGHT = 3;
/** Below this, an article shares a stray word with the question and no more. */
const LEAST_SCORE = 2;

export class KnowledgeBase {
  /** For each word, the articles that have it and how much it counts there. */
  readonly #index = new Map<string, Map<Article, number>>();

  private constructor(articles: readonly Article[]) {
    for (const article of articles) {
      this.#add(article, article.title, TITLE_WEIGHT);
      this.#add(article, article.text, 1);
    }
    // Nobody can write on what everybody reads.
    Object.freeze(this);
  }

  static async open(file: URL): Promise<KnowledgeBase> {
    return new KnowledgeBase(JSON.parse(await readFile(file, 'utf8')) as Article[]);
  }

  /** The text of the article that fits best; `undefined` if none fits. */
  find(question: string): string | undefined {
    const scores = new Map<Article, number>();
    for (const word of words(question)) {
      for (const [article, weight] of this.#index.get(word) ?? []) {
        scores.set(article, (scores.get(article) ?? 0) + weight);
      }
    }
    const [best] = [...scores].sort(([, a], [, b]) => b - a);
    return best !== undefined && best[1] >= LEAST_SCORE ? best[0].text : undefined;
  }

  #add(article: Article, text: string, weight: number): void {
    for (const word of words(text)) {
      const articles = this.#index.get(word) ?? new Map<Article, number>();
      this.#index.set(word, articles);
      articles.set(article, Math.max(weight, articles.get(article) ?? 0));
    }
  }
}

/** Words of four letters and more: shorter ones are in every article. */
function words(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/\p{L}{4,}/gu) ?? []);
}
