/**
 * Standard Schema v1, the interface that zod, valibot, arktype and others share, so that an agent class may
 * use any of them and this package none. Source: https://standardschema.dev (the spec asks to copy the types).
 */

export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

export function isStandardSchema(value: unknown): value is StandardSchema {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  const standard = (value as Partial<StandardSchema>)['~standard'];
  return standard?.version === 1 && typeof standard.validate === 'function';
}

export function pathOf(issue: SchemaIssue): string {
  return (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
}

/** The first issues as one sentence each; a schema may report thousands for a large input. */
export function describeIssues(issues: readonly SchemaIssue[]): string {
  const shownIssues = issues.slice(0, 5).map((issue) => {
    const path = pathOf(issue);
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  if (issues.length > shownIssues.length) shownIssues.push(`and ${issues.length - shownIssues.length} more`);
  return shownIssues.join('; ');
}
