"""A `.tflite` file as tables in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from converters.flatbuffer import FlatBuffer, Operator, Tensor
from converters.flatbuffer.graph import shown
from tfcompress.report.inspection import Statistics


def show(flatbuffer: FlatBuffer, path: Path, *, tensors: bool = False) -> None:
    """Prints header, inputs and outputs, ledger, operators and, if asked for, tensors to standard output."""
    console = Console(highlight=False)
    # Piped text is for grep and diff: lines keep their length there.
    if not console.is_terminal:
        console = Console(highlight=False, width=400)
    console.print(f"[bold]{escape(str(path))}[/bold]: {_header(flatbuffer)}", soft_wrap=True)
    for title, ports in (("input", flatbuffer.inputs), ("output", flatbuffer.outputs)):
        for port in ports:
            console.print(f"{title:>6}  {escape(_port(port))}", soft_wrap=True)
            for line in conversion_snippet(port, is_input=title == "input"):
                console.print(f"        [dim]{escape(line)}[/dim]", soft_wrap=True)
    console.print(_ledger(flatbuffer))
    console.print(_operators(flatbuffer))
    for number, graph in enumerate(flatbuffer.graphs[1:], start=1):
        names = ", ".join(operator.name for operator in graph.operators)
        console.print(f"graph {number} ({escape(shown(graph.name))}), called by the model: {escape(names)}")
    if tensors:
        console.print(_tensors(flatbuffer))


def conversion_snippet(port: Tensor, *, is_input: bool) -> list[str]:
    """Lines of Python that turn real numbers into an input's integers, or an output's integers into real numbers."""
    if len(port.scales) != 1:
        return []
    scale = f"{float(port.scales[0]):.9g}"
    zero_point = int(port.zero_points[0]) if len(port.zero_points) else 0
    if not is_input:
        return [f"real = {scale} * (q.astype(np.float32) {_signed(-zero_point)})"]
    limits = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}.get(port.dtype)
    if limits is None:
        return []
    return [
        f"q = np.clip(np.rint(real / {scale}) {_signed(zero_point)}, {limits[0]}, {limits[1]}).astype(np.{port.dtype})"
    ]


def _signed(number: int) -> str:
    return f"- {-number}" if number < 0 else f"+ {number}"


def _header(flatbuffer: FlatBuffer) -> str:
    kind = "integer only" if flatbuffer.integer_only else "with float tensors"
    return (
        f"{len(flatbuffer.data):,} bytes ({flatbuffer.gzip_bytes:,} as gzip), {kind}, "
        f"{flatbuffer.macs:,} MACs, {flatbuffer.parameters:,} parameters"
        + (", weights encoded for TFLM" if flatbuffer.is_encoded else "")
    )


def _port(tensor: Tensor) -> str:
    text = f"{shown(tensor.name)}: {tensor.dtype} {_shape(tensor.shape)}"
    if -1 in tensor.shape_signature:
        text += f" (open: {_shape(tensor.shape_signature)})"
    return text + (f", {_quantization(tensor)}" if tensor.is_quantized else "")


def _quantization(tensor: Tensor) -> str:
    if len(tensor.scales) == 1:
        point = int(tensor.zero_points[0]) if len(tensor.zero_points) else 0
        return f"scale {float(tensor.scales[0]):.9g}, zero point {point}"
    return f"{len(tensor.scales)} scales along axis {tensor.axis}" if len(tensor.scales) else "block-wise scales"


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def _ledger(flatbuffer: FlatBuffer) -> Table:
    table = Table(title="What the bytes are spent on", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("part")
    table.add_column("bytes", justify="right")
    table.add_column("share", justify="right")
    total = len(flatbuffer.data)
    for part, size in flatbuffer.ledger.items():
        table.add_row(part, f"{size:,}", f"{size / total:.1%}")
    table.add_section()
    table.add_row("file", f"{total:,}", "100.0%")
    return table


def _operators(flatbuffer: FlatBuffer) -> Table:
    table = Table(title="Operators", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("#", justify="right")
    for name in ("operator", "Keras layer", "output"):
        table.add_column(name)
    table.add_column("MACs", justify="right")
    for operator in flatbuffer.operators:
        macs = f"{operator.macs:,}" if operator.macs else ""
        layer, output = escape(shown(operator.layer)), _output(operator, flatbuffer)
        table.add_row(str(operator.index), escape(shown(operator.name)), layer, output, macs)
    return table


def _output(operator: Operator, flatbuffer: FlatBuffer) -> str:
    tensors = [flatbuffer.tensors[index] for index in operator.outputs[:4]]
    text = ", ".join(f"{tensor.dtype} {_shape(tensor.shape)}" for tensor in tensors)
    return text if len(operator.outputs) <= 4 else f"{text} and {len(operator.outputs) - 4} more"


def _stored(tensor: Tensor) -> str:
    return f"{tensor.stored_bytes:,}" if tensor.is_constant else ""


def _tensors(flatbuffer: FlatBuffer) -> Table:
    statistics = Statistics(flatbuffer)
    table = Table(title="Tensors", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("#", justify="right")
    for name in ("tensor", "Keras layer", "type", "quantization"):
        table.add_column(name)
    for name in ("bytes", *(("encoding", "stored") if flatbuffer.is_encoded else ()), "zeros", "distinct"):
        table.add_column(name, justify="right")
    for tensor in flatbuffer.tensors:
        sparsity, distinct = statistics.of(tensor)
        table.add_row(
            str(tensor.index),
            escape(shown(tensor.name)),
            escape(shown(tensor.layer)),
            f"{tensor.dtype} {_shape(tensor.shape)}",
            _quantization(tensor) if tensor.is_quantized else "",
            f"{tensor.bytes:,}",
            *((tensor.encoding, _stored(tensor)) if flatbuffer.is_encoded else ()),
            "" if sparsity is None else f"{sparsity:.1%}",
            "" if distinct is None else f"{distinct:,}",
        )
    return table
