package org.tfcompress.demo.runtime;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.tensorflowlite.Reporter_Pointer_BytePointer_Pointer;

/** What the interpreter says, which it does through printf's format and a C list of arguments (x86-64 System V). */
final class Reports extends Reporter_Pointer_BytePointer_Pointer {
    private static final Pattern DIRECTIVE = Pattern.compile("%(?:%|[-+ #0-9.]*(l{0,2}|z)([dius]))");
    private static final int INTEGER_REGISTERS_END = 48;

    private final StringBuilder said = new StringBuilder();

    String text() {
        return said.toString();
    }

    @Override
    public void call(Pointer user, BytePointer format, Pointer arguments) {
        Matcher directive = DIRECTIVE.matcher(format.getString());
        StringBuffer line = new StringBuffer();
        BytePointer list = new BytePointer(arguments).capacity(24);
        while (directive.find()) {
            String word = "%";
            if (directive.group(2) != null) {
                long value = next(list);
                boolean text = directive.group(2).equals("s");
                boolean wide = !directive.group(1).isEmpty();
                word = text ? string(value) : String.valueOf(wide ? value : (int) value);
            }
            directive.appendReplacement(line, Matcher.quoteReplacement(word));
        }
        said.append(directive.appendTail(line)).append('\n');
    }

    /** The next argument of integer class: out of the saved registers, then off the stack. */
    private static long next(BytePointer list) {
        int offset = list.getInt(0);
        if (offset < INTEGER_REGISTERS_END) {
            list.putInt(0, offset + 8);
            return at(list.getLong(16)).getLong(offset);
        }
        long stack = list.getLong(8);
        list.putLong(8, stack + 8);
        return at(stack).getLong(0);
    }

    private static String string(long address) {
        return address == 0 ? "(null)" : at(address).getString();
    }

    private static BytePointer at(long address) {
        return new BytePointer(new Address(address));
    }

    /** A pointer to a place in memory. */
    private static final class Address extends Pointer {
        Address(long address) {
            this.address = address;
        }
    }
}
