// TypeScript declarations of one ksy layout.

const BYTES = "Uint8Array";
const NUMBER = /^(?:[us][124]|f[48])(?:le|be)?$/;
const BITS = /^b(\d+)(?:le|be)?$/;

/** `section_count` becomes `SectionCount`, as the compiler names classes. */
function upperCamel(id) {
  return id
    .split("_")
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join("");
}

/** `section_count` becomes `sectionCount`, as the compiler names fields. */
function lowerCamel(id) {
  const name = upperCamel(id);
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}

function renderDoc(doc, indent) {
  if (doc === undefined) return [];
  const lines = doc.trim().replaceAll("*/", "* /").split("\n");
  if (lines.length === 1) return [`${indent}/** ${lines[0]} */`];
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`];
}

/** A type's scope: its own nested types, then those of each type around it, then imported layouts. */
class Scope {
  constructor(path, spec, outer, imports) {
    this.path = path;
    this.spec = spec;
    this.outer = outer;
    this.imports = imports;
  }

  inner(id) {
    return new Scope([...this.path, id], this.spec.types[id], this, this.imports);
  }

  /** The dotted class name of `name`, which may be a path: `header::run`. */
  className(name) {
    const [first, ...rest] = name.split("::");
    for (let scope = this; scope !== undefined; scope = scope.outer) {
      if (scope.spec.types?.[first] !== undefined)
        return [...scope.path, first, ...rest].map(upperCamel).join(".");
    }
    if (first === this.path[0] || this.imports.includes(first))
      return [first, ...rest].map(upperCamel).join(".");
    throw new Error(`${this.path.join("::")}: there is no type ${name}`);
  }

  where(field) {
    return `${this.path.join("::")}/${field}`;
  }
}

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

/** The type of one element, without `repeat` and `if`. */
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

/** A computed instance: what its expression plainly gives, or what `-type` says. */
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

function fieldType(scope, attribute, id) {
  if (attribute.value !== undefined) return computedType(attribute);
  const element = elementType(scope, attribute, id);
  return attribute.repeat === undefined ? element : `readonly (${element})[]`;
}

function renderField(scope, attribute, id, indent) {
  const type = fieldType(scope, attribute, id) + (attribute.if === undefined ? "" : " | undefined");
  return [...renderDoc(attribute.doc, indent), `${indent}readonly ${lowerCamel(id)}: ${type};`];
}

function renderEnum(id, values, indent) {
  const names = Object.entries(values).map(([value, name]) => {
    const text = typeof name === "object" ? name.id : name;
    return `readonly ${text.toUpperCase()}: ${value};`;
  });
  return `${indent}static readonly ${upperCamel(id)}: { ${names.join(" ")} readonly [value: number]: string };`;
}

function renderClass(scope, keyword, indent) {
  const { spec } = scope;
  const within = `${indent}  `;
  const name = upperCamel(scope.path.at(-1));
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
  const nested = Object.keys(spec.types ?? {});
  if (nested.length === 0) return lines;
  const namespace = keyword.replace("class", "namespace");
  return [
    ...lines,
    `${indent}${namespace} ${name} {`,
    ...nested.flatMap((id) => renderClass(scope.inner(id), "class", within)),
    `${indent}}`,
  ];
}

/** The text of the `.d.ts` file that stands beside the module of `spec`. */
export function renderDeclarations(spec) {
  const imports = spec.meta.imports ?? [];
  const scope = new Scope([spec.meta.id], spec, undefined, imports);
  return [
    'import type { KaitaiStream } from "../core/kaitai.ts";',
    ...imports.map((name) => `import type { ${upperCamel(name)} } from "./${name}.js";`),
    "",
    ...renderClass(scope, "export declare class", ""),
    "",
  ].join("\n");
}
