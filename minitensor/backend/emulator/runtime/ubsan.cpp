// Reports of UndefinedBehaviorSanitizer, received by us: g++ compiles the checks into the kernels and
// calls these functions with the line in hand. Linked instead of libubsan, in plain builds only.
#include "engine.h"

namespace {

struct Place { const char* file; unsigned line, column; };
struct Type { unsigned short kind, info; char name[1]; };
struct Mismatch { Place place; const Type* type; unsigned char log_alignment, check; };
struct Bounds { Place place; const Type *array, *index; };
struct Arithmetic { Place place; const Type* type; };
struct Shift { Place place; const Type *left, *right; };

[[noreturn]] void overflow(const Arithmetic* data, const char* what) {
    emu::fail(data->place.file, data->place.line, "%s overflows %s", what, data->type->name);
}

}  // namespace

#define HANDLER extern "C" __attribute__((visibility("hidden"))) void

HANDLER __ubsan_handle_type_mismatch_v1_abort(const Mismatch* data, uintptr_t address) {
    const unsigned long alignment = 1ul << data->log_alignment;
    emu::fail(data->place.file, data->place.line,
              "an address of type %s is no multiple of %lu: ...%03lx", data->type->name, alignment,
              static_cast<unsigned long>(address & 0xfff));
}
HANDLER __ubsan_handle_out_of_bounds_abort(const Bounds* data, uintptr_t index) {
    emu::fail(data->place.file, data->place.line, "index %ld is out of bounds of %s",
              static_cast<long>(index), data->array->name);
}
HANDLER __ubsan_handle_add_overflow_abort(const Arithmetic* data, uintptr_t, uintptr_t) {
    overflow(data, "a sum");
}
HANDLER __ubsan_handle_sub_overflow_abort(const Arithmetic* data, uintptr_t, uintptr_t) {
    overflow(data, "a difference");
}
HANDLER __ubsan_handle_mul_overflow_abort(const Arithmetic* data, uintptr_t, uintptr_t) {
    overflow(data, "a product");
}
HANDLER __ubsan_handle_negate_overflow_abort(const Arithmetic* data, uintptr_t) {
    overflow(data, "a negation");
}
HANDLER __ubsan_handle_divrem_overflow_abort(const Arithmetic* data, uintptr_t, uintptr_t) {
    emu::fail(data->place.file, data->place.line, "a division by zero");
}
HANDLER __ubsan_handle_shift_out_of_bounds_abort(const Shift* data, uintptr_t, uintptr_t) {
    emu::fail(data->place.file, data->place.line, "a shift by more bits than there are");
}
