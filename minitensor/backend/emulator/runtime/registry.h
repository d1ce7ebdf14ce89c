// KERNEL(name<types>) enters an instance into this library's list, with its real C++ signature:
// Python compares every argument with it.
#pragma once

namespace emu {

template <typename T> std::string type_name() {
    using U = std::remove_cv_t<T>;
    if constexpr (std::is_pointer_v<U>) {
        using Target = std::remove_pointer_t<U>;
        const char* constness = std::is_const_v<Target> ? "const " : "";
        return constness + type_name<std::remove_cv_t<Target>>() + "*";
    }
    else if constexpr (std::is_same_v<U, half_t>) return "half_t";
    else if constexpr (std::is_same_v<U, float>) return "float";
    else if constexpr (std::is_same_v<U, double>) return "double";
    else if constexpr (std::is_same_v<U, bool>) return "bool";
    else if constexpr (std::is_integral_v<U>)
        return (std::is_signed_v<U> ? "int" : "uint") + std::to_string(8 * sizeof(U));
    else return "struct" + std::to_string(sizeof(U));
}

// A GPU keeps parameters in constant memory: that they are fetched is no access of the kernel.
#define EMU_UNWATCHED __attribute__((no_sanitize("thread")))
template <auto Kernel> struct Instance;
template <typename... Types, void (*Kernel)(Types...)> struct Instance<Kernel> {
    template <size_t... I>
    EMU_UNWATCHED static void call(void** arguments, std::index_sequence<I...>) {
        Kernel(*static_cast<std::remove_cv_t<Types>*>(arguments[I])...);
    }
    EMU_UNWATCHED static void run(void** arguments) {
        call(arguments, std::index_sequence_for<Types...>{});
    }
    static std::string signature() { return ((type_name<Types>() + ",") + ... + ""); }
};

}  // namespace emu

#define EMU_JOIN_(a, b) a##b
#define EMU_JOIN(a, b) EMU_JOIN_(a, b)
#define KERNEL(...)                                                                        \
    __attribute__((constructor)) static void EMU_JOIN(enlist_kernel_, __COUNTER__)() {      \
        using Instance = emu::Instance<&__VA_ARGS__>;                                       \
        emu::enlist(#__VA_ARGS__, &Instance::run, Instance::signature());                   \
    }                                                                                      \
    static_assert(true, "")
