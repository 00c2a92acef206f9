import { CallGraph } from "../code/call-graph.ts";
import { DataFlow } from "../code/data-flow.ts";
import { analyzeImage } from "../code/functions.ts";
import { TagUses } from "../code/uses.ts";
import { type AddressLike, advance, hex, type Va } from "../core/address.ts";
import { Image } from "../pe/image.ts";
import { answer } from "../report/answer.ts";
import { codeDocument } from "../report/code-document.ts";
import type { CodeDocument, ExportsDocument, HeadersDocument, ImportsDocument } from "../report/documents.ts";
import { exportsDocument } from "../report/exports-document.ts";
import { headersDocument } from "../report/headers-document.ts";
import { importsDocument } from "../report/imports-document.ts";
import type { FileInput } from "../source/given.ts";
import { openFile } from "../source/node-files.ts";
import type { ByteSource } from "../source/source.ts";
import { exportNames } from "../symbols/exports.ts";
import { placeNamed } from "../symbols/image-names.ts";
import { type CallList, functionAtAddress, functionNamed, listCalls } from "../trail/listing/call-list.ts";
import { type ListingOptions, listCode } from "../trail/listing/code-listing.ts";
import { type FunctionList, listFunctions } from "../trail/listing/function-list.ts";
import type { TrailModule } from "../trail/target.ts";
import { type NameSpace, parseAddress } from "./expression.ts";
import { openInput } from "./input.ts";

/** One PE file by itself. Its import slots are as the linker left them: no address is in them yet. */
export class ImageFile implements Disposable {
  /** The image by itself: its headers, tables and bytes. */
  readonly image: Image;
  readonly #source: ByteSource;

  /** @internal */
  constructor(source: ByteSource) {
    this.#source = source;
    this.image = Image.fromFile(source);
  }

  headers(): HeadersDocument {
    return answer(headersDocument(this.image.label, this.image));
  }

  imports(): ImportsDocument {
    return answer(
      importsDocument(
        this.image.label,
        this.image,
        this.image.imports,
        () => null,
        () => undefined,
      ),
    );
  }

  exports(): ExportsDocument {
    return answer(exportsDocument(this.image.label, this.image, () => null));
  }

  functions(): FunctionList {
    return answer(listFunctions(this.image.label, this.image));
  }

  /**
   * Who calls a function of the image, and what it calls.
   *
   * @param function_ a name that it exports or imports, or an address at the base that it prefers
   * @throws {TypeError} neither
   */
  calls(function_: AddressLike): CallList {
    const module = this.#module;
    const flows = new DataFlow(analyzeImage(this.image));
    const decoded = { image: flows.image, flows, graph: new CallGraph(flows), uses: new TagUses(flows) };
    const named = typeof function_ === "string" ? functionNamed(module, decoded, function_) : undefined;
    return answer(listCalls(module, decoded, named ?? functionAtAddress(module, this.address(function_))));
  }

  /**
   * The instructions around an address, from it on, before it, or of its whole function.
   *
   * @param address an expression as `address` takes it
   */
  code(address: AddressLike, options: ListingOptions = {}): CodeDocument {
    const module = this.#module;
    const target = {
      space: this.image.space,
      modules: [module],
      moduleAt: (at: Va) => (this.image.contains(at) ? module : undefined),
      resolve: () => undefined,
      build: undefined,
    };
    const { pointerSize, base, machine } = this.image;
    const note = `addresses are at the base that the file prefers, ${hex(base)}`;
    const listing = listCode(target, machine, this.address(address), options);
    return answer(codeDocument(listing, pointerSize, [note]));
  }

  /**
   * An address as a person writes it: a name that the file exports, `driver.sys+1234`, hex at the base that the file
   * prefers; what is below the image's size is an offset from its base.
   *
   * @throws {TypeError} no expression, or one with a name that the file does not have
   */
  address(expression: AddressLike): Va {
    const { image } = this;
    const address = parseAddress(expression, this.#names);
    // a base near the end of a 32-bit machine's addresses wraps as the processor does
    return address < BigInt(image.size) ? image.space.narrow(image.addressOf(Number(address))) : address;
  }

  /** The file is its only module, and names without one are its own. */
  get #names(): NameSpace {
    const { image } = this;
    const moduleNames = [image.label, image.label.replace(/\.[^.]*$/, "")];
    const isOwn = (name: string): boolean =>
      moduleNames.some((own) => own.toLowerCase() === name.toLowerCase());
    return {
      pointerSize: image.pointerSize,
      moduleNames,
      moduleBase: (name) => (isOwn(name) ? image.base : undefined),
      symbolAddress: (module, name) => {
        const found = isOwn(module) ? placeNamed(image, name) : undefined;
        return found === undefined ? undefined : image.addressOf(found.rva);
      },
      symbolNames: () => exportNames(image).items.map(({ name }) => name),
      pointerAt: (address) => image.space.readPointer(address),
    };
  }

  get #module(): TrailModule {
    const { image } = this;
    return {
      name: image.label,
      imageName: image.label,
      path: null,
      base: image.base,
      end: advance(image.base, image.size),
      size: image.size,
      image,
      imageProblem: undefined,
      imports: image.imports,
      publisher: { company: null, thirdParty: null, basis: null },
    };
  }

  close(): void {
    this.#source[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Opens a PE file.
 *
 * @throws {FormatError} the file is no PE image
 * @throws {FileError} the path leads to no readable file
 * @throws {TypeError} it is none of what is taken
 */
export function openImageFile(input: FileInput): ImageFile {
  const source = openInput(input, "a PE file");
  try {
    return new ImageFile(source);
  } catch (error) {
    if (source !== input) source[Symbol.dispose]();
    throw error;
  }
}

/**
 * Whether a file starts as a PE image does; a dump does not.
 *
 * @throws {FileError} the path leads to no readable file
 */
export function isImageFile(path: string): boolean {
  using source = openFile(path);
  const start = new Uint8Array(2);
  return source.read(0, start) === 2 && start[0] === 0x4d && start[1] === 0x5a;
}
