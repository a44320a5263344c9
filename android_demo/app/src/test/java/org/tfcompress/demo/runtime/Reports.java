package org.tfcompress.demo.runtime;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.tensorflowlite.Reporter_Pointer_BytePointer_Pointer;

/**
 * What interpreters say on a thread, which they do through printf's format and a C list of arguments (x86-64 System V).
 * There is one for all, since JavaCPP has room for ten callbacks of a kind.
 */
final class Reports extends Reporter_Pointer_BytePointer_Pointer {
    private static final Pattern DIRECTIVE = Pattern.compile("%(?:%|[-+ #0-9.]*(l{0,2}|z)([dius]))");
    private static final int INTEGER_REGISTERS_END = 48;

    static final Reports ALL = new Reports();

    private final ThreadLocal<StringBuilder> said = ThreadLocal.withInitial(StringBuilder::new);

    private Reports() {}

    /** Forgets what was said on this thread. */
    void clear() {
        said.get().setLength(0);
    }

    /** What was said on this thread since. */
    String text() {
        return said.get().toString();
    }

    @Override
    public void call(Pointer user, BytePointer format, Pointer arguments) {
        Matcher directive = DIRECTIVE.matcher(format.getString());
        StringBuffer line = new StringBuffer();
        // JavaCPP hands over where C's parameter lies, which itself is a pointer to the list.
        BytePointer list = at(new BytePointer(arguments).getLong(0));
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
        said.get().append(directive.appendTail(line)).append('\n');
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
