// TypeScript declarations of one ksy layout.

/**
 * What the compiler's user guide says of a layout; only what declarations need.
 *
 * @typedef {string | { cases: Record<string, string> }} TypeName
 * @typedef {{
 *   type?: TypeName, doc?: string, enum?: string, value?: string | number | boolean, "-type"?: string, size?: string | number,
 *   "size-eos"?: boolean, terminator?: number, repeat?: string, if?: string,
 * }} Field
 * @typedef {Record<string, string | { id: string }>} EnumValues
 * @typedef {{
 *   meta?: { id?: string, imports?: readonly string[] }, doc?: string, params?: readonly (Field & { id: string })[],
 *   seq?: readonly (Field & { id?: string })[], instances?: Record<string, Field>,
 *   types?: Record<string, Spec>, enums?: Record<string, EnumValues>,
 * }} Spec
 */

const BYTES = "Uint8Array";
const NUMBER = /^(?:[us][124]|f[48])(?:le|be)?$/;
const BITS = /^b(\d+)(?:le|be)?$/;

/** `section_count` becomes `SectionCount`, as the compiler names classes. @param {string} id */
function upperCamel(id) {
  return id
    .split("_")
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join("");
}

/** `section_count` becomes `sectionCount`, as the compiler names fields. @param {string} id */
function lowerCamel(id) {
  const name = upperCamel(id);
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}

/** @param {string | undefined} doc @param {string} indent @returns {readonly string[]} */
function renderDoc(doc, indent) {
  if (doc === undefined) return [];
  const lines = doc.trim().replaceAll("*/", "* /").split("\n");
  if (lines.length === 1) return [`${indent}/** ${lines[0]} */`];
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`];
}

/** A type's scope: its own nested types, then those of each type around it, then imported layouts. */
class Scope {
  /**
   * @param {readonly [string, ...string[]]} path @param {Spec} spec @param {Scope | undefined} outer
   * @param {readonly string[]} imports
   */
  constructor(path, spec, outer, imports) {
    this.path = path;
    this.spec = spec;
    this.outer = outer;
    this.imports = imports;
  }

  /** @param {string} id @param {Spec} spec one of this type's own types */
  inner(id, spec) {
    return new Scope([...this.path, id], spec, this, this.imports);
  }

  /** The dotted class name of `name`, which may be a path: `header::run`. @param {string} name */
  className(name) {
    const [first = name, ...rest] = name.split("::");
    /** @type {Scope | undefined} */
    let scope = this;
    for (; scope !== undefined; scope = scope.outer) {
      if (scope.spec.types?.[first] !== undefined)
        return [...scope.path, first, ...rest].map(upperCamel).join(".");
    }
    if (first === this.path[0] || this.imports.includes(first))
      return [first, ...rest].map(upperCamel).join(".");
    throw new Error(`${this.path.join("::")}: there is no type ${name}`);
  }

  /** @param {string} field */
  where(field) {
    return `${this.path.join("::")}/${field}`;
  }
}

/** @param {Scope} scope @param {Field} attribute @param {string | undefined} type @param {string} id */
function plainType(scope, attribute, type, id) {
  if (type === undefined) return BYTES;
  const name = type.replace(/\(.*\)$/s, "");
  if (/^[us]8(?:le|be)?$/.test(name)) {
    throw new Error(`${scope.where(id)}: ${name} is not exact in JavaScript; use the type u64`);
  }
  if (NUMBER.test(name)) return "number";
  const bits = BITS.exec(name)?.[1];
  if (bits !== undefined) return bits === "1" && attribute.enum === undefined ? "boolean" : "number";
  if (name === "bool") return "boolean";
  if (name === "bytes") return BYTES;
  if (name === "str" || name === "strz") return "string";
  if (name === "struct" || name === "any" || name === "io") return "unknown";
  return scope.className(name);
}

/** The type of one element, without `repeat` and `if`. @param {Scope} scope @param {Field} attribute @param {string} id */
function elementType(scope, attribute, id) {
  const { type } = attribute;
  if (typeof type !== "object") return plainType(scope, attribute, type, id);
  const cases = Object.entries(type.cases).map(([, name]) => plainType(scope, attribute, name, id));
  if (type.cases._ === undefined) {
    const sized = attribute.size !== undefined || attribute["size-eos"] || attribute.terminator !== undefined;
    cases.push(sized ? BYTES : "undefined");
  }
  return [...new Set(cases)].join(" | ");
}

/** A computed instance: what its expression plainly gives, or what `-type` says. @param {Field} instance */
function computedType(instance) {
  const declared = instance["-type"];
  if (declared !== undefined) return declared;
  const expression = String(instance.value);
  if (instance.enum !== undefined) return "number";
  if (expression.includes("?")) return "number";
  if (/^\s*(?:true|false)\s*$|[=!]=|[^<]<[^<]|[^>]>[^>]|\b(?:and|or|not)\b/.test(expression))
    return "boolean";
  return /^\s*["']|\.to_s\b|\.substring\b/.test(expression) ? "string" : "number";
}

/** @param {Scope} scope @param {Field} attribute @param {string} id */
function fieldType(scope, attribute, id) {
  if (attribute.value !== undefined) return computedType(attribute);
  const element = elementType(scope, attribute, id);
  return attribute.repeat === undefined ? element : `readonly (${element})[]`;
}

/** @param {Scope} scope @param {Field} attribute @param {string} id @param {string} indent */
function renderField(scope, attribute, id, indent) {
  const type = fieldType(scope, attribute, id) + (attribute.if === undefined ? "" : " | undefined");
  return [...renderDoc(attribute.doc, indent), `${indent}readonly ${lowerCamel(id)}: ${type};`];
}

/** @param {string} id @param {EnumValues} values @param {string} indent */
function renderEnum(id, values, indent) {
  const names = Object.entries(values).map(([value, name]) => {
    const text = typeof name === "object" ? name.id : name;
    return `readonly ${text.toUpperCase()}: ${value};`;
  });
  return `${indent}static readonly ${upperCamel(id)}: { ${names.join(" ")} readonly [value: number]: string };`;
}

/** @param {Scope} scope @param {string} id its own name @param {string} keyword @param {string} indent @returns {readonly string[]} */
function renderClass(scope, id, keyword, indent) {
  const { spec } = scope;
  const within = `${indent}  `;
  const name = upperCamel(id);
  const params = (spec.params ?? []).map(
    (param) => `${lowerCamel(param.id)}: ${fieldType(scope, param, param.id)}`,
  );
  const fixed = ["stream: KaitaiStream", "parent: unknown", "root: unknown"];
  if (params.length === 0) fixed.splice(1, 2, "parent?: unknown", "root?: unknown");
  const lines = [
    ...renderDoc(spec.doc, indent),
    `${indent}${keyword} ${name} {`,
    `${within}constructor(${[...fixed, ...params].join(", ")});`,
    ...Object.entries(spec.enums ?? {}).map(([id, values]) => renderEnum(id, values, within)),
    ...(spec.params ?? []).flatMap((param) => renderField(scope, param, param.id, within)),
    ...(spec.seq ?? []).flatMap((field) =>
      field.id === undefined ? [] : renderField(scope, field, field.id, within),
    ),
    ...Object.entries(spec.instances ?? {}).flatMap(([id, field]) => renderField(scope, field, id, within)),
    `${indent}}`,
  ];
  const nested = Object.entries(spec.types ?? {});
  if (nested.length === 0) return lines;
  const namespace = keyword.replace("class", "namespace");
  return [
    ...lines,
    `${indent}${namespace} ${name} {`,
    ...nested.flatMap(([id, type]) => renderClass(scope.inner(id, type), id, "class", within)),
    `${indent}}`,
  ];
}

/** The text of the `.d.ts` file that stands beside the module of `spec`. @param {string} id @param {Spec} spec */
export function renderDeclarations(id, spec) {
  const imports = spec.meta?.imports ?? [];
  const scope = new Scope([id], spec, undefined, imports);
  return [
    'import type { KaitaiStream } from "../core/kaitai.ts";',
    ...imports.map((name) => `import type { ${upperCamel(name)} } from "./${name}.js";`),
    "",
    ...renderClass(scope, id, "export declare class", ""),
    "",
  ].join("\n");
}
